"""What is seen: a Streamlit app over the aggregated tables."""
