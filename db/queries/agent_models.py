"""What an agent's decisions came to on each model that it ran on, and what its calls of that model cost."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection

from db.clock import business_day, starts_at
from db.queries import agents, swaps, usage

KEYS = ["agent_name", "provider", "model"]


def by_model(connection: Connection, since: date, until: date, zone: str) -> pd.DataFrame:
    """Per agent and model: agent_name, provider, model, decisions, wins, rating, cost_usd.

    The decisions of a day are those of the model that the agent ran on at its end; ratings are as `over_markets` has
    them. An agent whose model is not known has empty names; cost is that of the agent's calls of the model, of all of
    its calls where it ran on one that is not known.
    """
    days = agents.days_of_agents(connection, since, until)
    ran = _ran_on(connection, since, until, ZoneInfo(zone))
    days = days.merge(ran, on=["agent_name", "period_start"], how="left")
    days[["provider", "model"]] = days[["provider", "model"]].fillna("")
    found = agents.over_all_markets(days, KEYS)
    costs = usage.totals(connection, since, until, ("agent_name", "provider", "model"))
    known = costs.set_index(KEYS)["cost_usd"]
    whole = costs.groupby("agent_name")["cost_usd"].sum(min_count=1)
    cost = [
        known.get((agent, provider, model)) if model else whole.get(agent)
        for agent, provider, model in found[KEYS].itertuples(index=False)
    ]
    return found.assign(cost_usd=pd.Series(cost, index=found.index, dtype=float))


def _ran_on(connection: Connection, since: date, until: date, zone: ZoneInfo) -> pd.DataFrame:
    """The model at the end of each day: agent_name, period_start, provider, model."""
    after = starts_at(until + timedelta(days=1), zone)
    rows: list[dict[str, Any]] = []
    for row in swaps.stretches(connection, starts_at(since, zone), after).to_dict("records"):
        day, last = business_day(row["begun"], zone), business_day(row["ended"] - timedelta.resolution, zone)
        while day <= last:
            rows.append({"period_start": day} | {name: row[name] for name in KEYS})
            day += timedelta(days=1)
    found = pd.DataFrame(rows, columns=["period_start", *KEYS])
    return found.drop_duplicates(["agent_name", "period_start"], keep="last")
