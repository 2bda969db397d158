"""EMHASS on planning cases: runs inside the peers' environment, times itself there, prints JSON.

Run as ``.venv-peers/bin/python bench/peers/emhass_cases.py FOLDER ROUNDS GAP``. FOLDER holds plan
requests ``case_NN.json`` and beside each a ``replan_NN.json`` with a new forecast of the same site.
Imports nothing of Luna; EMHASS's optimisation class is called directly, so that neither its web
server nor its files nor its forecasts are timed. Its times are processor time on one thread: what
others use of the machine does not count against it.
"""

import json
import logging
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import emhass  # type: ignore[import-not-found]
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from emhass.optimization import Optimization  # type: ignore[import-not-found]

Document = dict[str, Any]
# EMHASS's own; what Luna is asked for comes with the call.
DEFAULT_GAP = 0.01


def main(folder: Path, rounds: int, gap: float) -> Document:
    """Return milliseconds per call and, of the plans at ``gap``, the flows."""
    cases = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("case_*.json"))
    ]
    replans = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("replan_*.json"))
    ]
    solve(build(cases[0], gap), cases[0])
    times: dict[str, list[float]] = {"new_ms": [], "kept_ms": [], "default_gap_ms": []}
    plans: list[Document] = []
    for _ in range(rounds):
        plans = []
        for case, replan in zip(cases, replans, strict=True):
            begun = time.process_time()
            problem = build(case, gap)
            plan = solve(problem, case)
            built = time.process_time()
            solve(problem, replan)
            kept = time.process_time()
            solve(build(case, DEFAULT_GAP), case)
            for name, taken in zip(
                times, (built - begun, kept - built, time.process_time() - kept), strict=True
            ):
                times[name].append(taken * 1e3)
            plans.append(describe(plan, case))
    return {"version": version("emhass"), **times, "plans": plans}


def build(case: Document, gap: float) -> Optimization:
    """Return a new problem, set up as the case's site."""
    settings = configure(case, gap)
    hours = len(case["outlook"]["load_kwh"]) * case["slot_minutes"] / 60
    return Optimization(
        settings, settings, settings, "cost", "price", "profit", {}, quiet(), opt_time_delta=hours
    )


def solve(problem: Optimization, case: Document) -> pd.DataFrame:
    """Return the plan.

    EMHASS counts in W; the terminal target is kept by its own soft constraint.
    """
    outlook = case["outlook"]
    watts = 60_000 / case["slot_minutes"]
    index = pd.date_range(
        case["start"], periods=len(outlook["load_kwh"]), freq=f"{case['slot_minutes']}min"
    )
    pv, load = (np.array(outlook[name]) * watts for name in ("pv_kwh", "load_kwh"))
    cost, price = (np.array(outlook[name]) for name in ("import_price", "export_price"))
    (state,) = case["state"]["batteries"].values()
    target = case["options"]["terminal"]["soc"]
    incurred = case["state"].get("month_peaks_kw")
    peak = {"current_period_peak": 1000 * max(incurred)} if incurred else {}
    return problem.perform_optimization(
        pd.DataFrame(index=index),
        pv,
        load,
        cost,
        price,
        soc_init=state["soc"],
        soc_final=target,
        **peak,
    )


def configure(case: Document, gap: float) -> Document:
    """Return EMHASS's own defaults with the case's site.

    Its discharge limit holds inside the battery, all others at the terminals.
    """
    defaults = json.loads(
        (Path(emhass.__file__).parent / "data/config_defaults.json").read_text(encoding="utf-8")
    )
    lists: Document = {
        name: []
        for name, value in defaults.items()
        if isinstance(value, list) and ("deferrable" in name or "def_" in name)
    }
    battery = case["site"]["batteries"][0]
    grid = case["site"]["grid"]
    step = pd.Timedelta(minutes=case["slot_minutes"])
    return {
        **defaults,
        **lists,
        **describe_devices(case),
        "optimization_time_step": step,
        "delta_forecast_daily": step * len(case["outlook"]["load_kwh"]),
        "time_zone": "UTC",
        "sensor_power_photovoltaics": "pv",
        "sensor_power_load_no_var_loads": "load",
        "lp_solver_mip_rel_gap": gap,
        "num_threads": 1,
        "set_use_pv": True,
        "compute_curtailment": True,
        "set_use_battery": True,
        "set_nodischarge_to_grid": False,
        "weight_battery_charge": battery["wear_price"],
        "weight_battery_discharge": battery["wear_price"],
        # Ending above the target is neither punished nor worth anything, as in the cases.
        "battery_soc_final_reward_factor": 1e-9,
        "maximum_power_from_grid": 1000 * grid["import_limit_kw"],
        "maximum_power_to_grid": 1000 * grid["export_limit_kw"],
        "battery_nominal_energy_capacity": 1000 * battery["capacity_kwh"],
        "battery_minimum_state_of_charge": battery.get("min_soc", 0.0),
        "battery_maximum_state_of_charge": battery.get("max_soc", 1.0),
        "battery_charge_efficiency": battery["charge_efficiency"],
        "battery_discharge_efficiency": battery["discharge_efficiency"],
        "battery_charge_power_max": 1000 * battery["charge_limit_kw"],
        "battery_discharge_power_max": 1000
        * battery["discharge_limit_kw"]
        / battery["discharge_efficiency"],
    }


def describe_devices(case: Document) -> Document:
    """Return vehicles and appliances as deferrable loads, one per session and per day, and the
    capacity tariff where there is one.

    EMHASS knows neither a longest pause nor a charger's phases and least power between off and on:
    these are left out, as are comfort windows, which makes its problem the easier one.
    """
    site = case["site"]
    loads = [night for car in site.get("vehicles", []) for night in describe_nights(case, car)]
    loads += [day for appliance in site.get("loads", []) for day in describe_days(case, appliance)]
    if not loads:
        return {"number_of_deferrable_loads": 0}
    count = len(loads)
    columns = {name: [load[name] for load in loads] for name in loads[0]}
    peak = site["tariff"].get("peak")
    capacity = {
        "capacity_cost_per_kw": peak["price_per_kw_month"] if peak else 0.0,
        "capacity_charge_interval_timesteps": 1,
    }
    return {
        **columns,
        "number_of_deferrable_loads": count,
        "minimum_power_of_deferrable_loads": [0.0] * count,
        "cost_forecast_per_deferrable_load": [None] * count,
        "is_electric_load": [True] * count,
        "set_deferrable_load_single_constant": [False] * count,
        "set_deferrable_startup_penalty": [0.0] * count,
        "set_deferrable_max_startups": [0] * count,
        "deferrable_load_max_cost": [0.0] * count,
        "def_minimum_off_time": [0] * count,
    } | capacity


def describe_nights(case: Document, car: Document) -> list[Document]:
    """Return one deferrable load per session of a vehicle, of any power up to its limit."""
    state = case["state"]["vehicles"][car["name"]]
    begin = pd.Timestamp(case["start"])
    step = pd.Timedelta(minutes=case["slot_minutes"])
    soc = state["soc"]
    nights = []
    for session in state["sessions"]:
        stored = max(session["target_soc"] - soc, 0.0) * car["capacity_kwh"]
        first, end = (int((pd.Timestamp(session[name]) - begin) / step) for name in ("from", "to"))
        hours = stored / car["charge_efficiency"] / car["charge_limit_kw"]
        nights.append(
            describe_load(
                power_kw=car["charge_limit_kw"], hours=hours, slots=(first, end), on_off=False
            )
        )
        soc = max(session["target_soc"], soc)
    return nights


def describe_days(case: Document, appliance: Document) -> list[Document]:
    """Return one deferrable load per day of an appliance, on or off.

    The cases begin at midnight.
    """
    per_day = 24 * 60 // case["slot_minutes"]
    hours = appliance["energy_kwh_per_day"] / appliance["power_kw"]
    least = appliance["min_on_minutes"] // case["slot_minutes"]
    days = range(len(case["outlook"]["load_kwh"]) // per_day)
    slots = [(day * per_day, (day + 1) * per_day) for day in days]
    return [
        describe_load(power_kw=appliance["power_kw"], hours=hours, slots=each, on_off=True)
        | {"def_minimum_on_time": least}
        for each in slots
    ]


def describe_load(
    *, power_kw: float, hours: float, slots: tuple[int, int], on_off: bool
) -> Document:
    """Return a deferrable load in EMHASS's words."""
    return {
        "nominal_power_of_deferrable_loads": 1000.0 * power_kw,
        "operating_hours_of_each_deferrable_load": hours,
        "start_timesteps_of_each_deferrable_load": slots[0],
        "end_timesteps_of_each_deferrable_load": slots[1],
        "treat_deferrable_load_as_semi_cont": on_off,
        "def_minimum_on_time": 0,
    }


def describe(plan: pd.DataFrame, case: Document) -> Document:
    """Return a plan's flows in kWh per slot, at the meter and at the battery's terminals."""
    kilowatt_hours = case["slot_minutes"] / 60_000
    devices = [plan[name] for name in plan if name.startswith("P_deferrable")]
    flows = {
        "import_kwh": plan["P_grid_pos"],
        "export_kwh": -plan["P_grid_neg"],
        "throughput_kwh": plan["P_batt"].abs(),
        "curtailed_kwh": plan["P_PV_curtailment"],
        "devices_kwh": sum(devices, start=0.0 * plan["P_batt"]),
    }
    return {name: (values * kilowatt_hours).tolist() for name, values in flows.items()} | {
        "soc_end": plan["SOC_opt"].tolist()
    }


def quiet() -> logging.Logger:
    """Return a logger that says nothing but errors."""
    logger = logging.getLogger("emhass")
    logger.setLevel(logging.ERROR)
    return logger


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))))
