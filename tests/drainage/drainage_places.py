"""A small combined-sewer town as a plan folder, and what the tests change in it."""

from pathlib import Path

PLAN = 'name = "Town"\nbase_year = 2024\nhorizon = [2030]\ncurrency = "CNY"\ndiscount_rate = 0.05\nlanguage = "en"\n'
TABLES = {
    "sites": "site,kind\ntown,city\n",
    "catchments": "汇水区,面积,不透水率,坡度,土壤,出口,雨水出口,分流比例,SS浓度\n"
    "工业区,4,70,1.5,砂壤土,井1,河口,100,180\nliving,6,50,1,loam,J2,river,50,120\nmeadow,2,0,3,sand,living,,,40\n",
    "junctions": "junction,invert_m,depth_m,dry_weather_m3_d\n井1,102,2.5,600\nJ2,101,2.5,400\nJ3,100,3,\n",
    "outlets": "outlet,invert_m,kind,capacity_m3_d\nplant,98,plant,4000\n河口,99,storm,\nriver,99,storm,\n",
    "conduits": "conduit,from_node,to_node,length_m,diameter_m\nP1,井1,J2,120,0.6\nP2,J2,J3,150,0.8\n"
    "P3,J3,plant,80,0.8\n",
    "storms": "storm,kind,city,return_period_a,duration_min\nP2,formula,贵阳,2,60\n",
    "measures": "catchment,measure,area_m2,max_area_m2\n工业区,permeable_pavement,3000,6000\n"
    "工业区,bioretention,600,1500\n"
    "living,rain_garden,500,3000\nliving,green_roof,,4000\n",
}


def write(folder: Path, **changed: str | None) -> Path:
    """Write the town with some tables replaced; None leaves a table out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.toml").write_text(PLAN)
    for name, text in {**TABLES, **changed}.items():
        if text is not None:
            (folder / f"{name}.csv").write_text(text)
    return folder
