"""Checks between rows: each fires where it should and is silent where the plan is right."""

from sound_plan import PLANTS, SITES

from cyclopolis.plan import check_plan


def keys(folder, scenario=()) -> list[str]:
    return [problem.text.key for problem in check_plan(folder, scenario)]


def test_sound_links_say_nothing(write_plan) -> None:
    folder = write_plan(
        {
            "plants.csv": PLANTS + "slag,park,acetylene_dry,existing,1000,1000,x\n",
            "exchanges.csv": "from_plant,to_plant,commodity,as_commodity,status\n"
            "power,mill,fly_ash,,existing\nslag,power,carbide_slag,limestone,proposed\n",
            "measurements.csv": "plant,direction,from_plant,to_plant,commodity,amount,year\n"
            "power,out,,,fly_ash,100,2023\n,,power,mill,fly_ash,40,2023\npower,in,,,steam_coal,5,2022\n",
            "limits.csv": "scope,quantity,min,max\npark,jobs,5,50\n,water,,5\npark,water,3,\n",
            "targets.csv": "quantity,year,value\nwater,2028,5\n",
        }
    )
    assert keys(folder) == []


def test_an_own_substitution_allows_an_exchange(write_plan) -> None:
    exchange = "from_plant,to_plant,commodity,as_commodity,status\npower,mill,fly_ash,limestone,proposed\n"
    assert keys(write_plan({"exchanges.csv": exchange})) == ["plan.no_substitution"]
    own = "commodity,technology,displaced,ratio\nfly_ash,cement_opc,limestone,0.9\n"
    assert keys(write_plan({"exchanges.csv": exchange, "substitutions.csv": own})) == []


def test_measured_output_makes_a_plant_known(write_plan) -> None:
    unknown = PLANTS.replace("600000,500000", "600000,")
    assert keys(write_plan({"plants.csv": unknown})) == ["plan.no_activity"]
    measured = "plant,direction,commodity,amount,year\nmill,out,cement,480,2023\n"
    assert keys(write_plan({"plants.csv": unknown, "measurements.csv": measured})) == []


def test_a_surplus_finds_its_way(write_plan) -> None:
    changed = {
        "commodities.csv": "commodity,kind,unit,state,hazard\nmoon_dust,material,t,solid,no\n",
        "recipes.csv": "technology,commodity,direction,amount\nflyash_brick,moon_dust,out,0.1\n",
    }
    assert keys(write_plan(changed)) == ["plan.nowhere_to_go"]
    market = "commodity,sell_price,source\nbrick,360,quote\nmoon_dust,0,quote\n"
    assert keys(write_plan({**changed, "markets.csv": market})) == []
    disposal = changed["commodities.csv"].replace("hazard", "hazard,disposal_cost").replace(",no", ",no,120")
    assert (
        keys(write_plan({**changed, "markets.csv": "commodity,sell_price\nbrick,360\n", "commodities.csv": disposal}))
        == []
    )
    taker = changed["recipes.csv"] + "cement_opc,moon_dust,in,0.01\n"
    assert keys(write_plan({**changed, "recipes.csv": taker})) == []


def test_a_surplus_that_only_the_library_treats_is_told(write_plan) -> None:
    recipe = "technology,commodity,direction,amount\nflyash_brick,{},out,0.1\n"
    assert keys(write_plan({"recipes.csv": recipe.format("sludge_dry")})) == ["plan.treated_by_library"]
    assert keys(write_plan({"recipes.csv": recipe.format("deionized_water")})) == ["plan.nowhere_but_library"]


def test_longer_circles_of_places_are_one_problem(write_plan) -> None:
    sites = "site,kind,parent\na,zone,b\nb,zone,c\nc,zone,a\npark,park,a\nd,zone,d\n"
    assert keys(write_plan({"sites.csv": sites})) == ["plan.site_cycle", "plan.site_cycle"]


def test_hard_running_is_noted_and_a_slip_refused(write_plan) -> None:
    assert keys(write_plan({"plants.csv": PLANTS.replace("1200000", "1500000")})) == []
    assert keys(write_plan({"plants.csv": PLANTS.replace("1200000", "1650000")})) == ["plan.over_capacity"]
    problems = check_plan(write_plan({"plants.csv": PLANTS.replace("1200000", "15000000")}))
    assert [(problem.text.key, problem.severity) for problem in problems] == [("plan.over_capacity_far", "error")]


def test_a_mistake_in_a_row_is_told_once(write_plan) -> None:
    plants = PLANTS.replace("power,park,coal_power,existing", "power,park,coal_powr,existing")
    folder = write_plan(
        {
            "plants.csv": plants,
            "exchanges.csv": "from_plant,to_plant,commodity,status\npower,mill,fly_ash,existing\n",
            "measurements.csv": "plant,direction,commodity,amount,year\npower,out,fly_ash,100,2023\n",
        }
    )
    assert keys(folder) == ["plan.unknown_id"]


def test_regions_of_the_grid_in_both_languages(write_plan) -> None:
    sites = SITES.replace("source", "grid_region").replace("map", "贵州", 1).replace("map", "Guizhou")
    assert keys(write_plan({"sites.csv": sites})) == []


def test_new_modes_say_what_they_carry(write_plan) -> None:
    modes = "mode,states,kinds,cost_per_t_km,reach_km\ncart,固体;污泥,物料,3,5\ntruck,,,0.5,\n"
    assert keys(write_plan({"transport.csv": modes})) == []
    bad = modes.replace("污泥", "石头")
    problems = check_plan(write_plan({"transport.csv": bad}))
    assert [(problem.text.key, problem.value) for problem in problems] == [("plan.not_a_choice", "石头")]


def test_a_group_of_one_is_noted(write_plan) -> None:
    assert keys(write_plan({"exclusions.csv": "group,plant\ng,bricks\n"})) == ["plan.excludes_one"]
