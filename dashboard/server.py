"""What `streamlit run` starts: the app, behind gates that refuse foreign host names, origins and files.

Streamlit itself asks for the name only where a session begins; a page of another site whose name points at this
machine could still call the other routes as its own.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path[0] != str(ROOT):  # `streamlit run dashboard/server.py` puts dashboard/ first, not the root
    sys.path.insert(0, str(ROOT))

import streamlit as st
from starlette.middleware import Middleware

from dashboard.gate import KnownHosts, KnownOrigins, OperatorsFiles

gates = (KnownHosts, KnownOrigins, OperatorsFiles)
app = st.App(Path(__file__).with_name("app.py"), middleware=[Middleware(gate) for gate in gates])
