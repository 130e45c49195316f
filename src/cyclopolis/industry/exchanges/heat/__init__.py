"""Heat between processes and plants: pinch targets, steam levels of a site, waste heat to district heating."""
