"""A small sound plan as texts; tests replace one of its files."""

TOML = 'name = "Sound Park"\nbase_year = 2023\nhorizon = [2028]\ndiscount_rate = 0.06\n'
SITES = "site,name,parent,kind,lon,lat,source\ncity,City,,city,106.6,26.6,map\npark,Park,city,park,106.7,26.7,map\n"
PLANTS = (
    "plant,site,technology,status,capacity,activity,source\n"
    "power,park,coal_power,existing,1500000,1200000,annual report\n"
    "mill,park,cement_opc,existing,600000,500000,annual report\n"
    "bricks,park,flyash_brick,candidate,30000,,assumed\n"
)
MARKETS = "commodity,sell_price,source\nbrick,360,quote\n"
SOUND = {"plan.toml": TOML, "sites.csv": SITES, "plants.csv": PLANTS, "markets.csv": MARKETS}
