"""A day of a replay, traced and drawn: its figures are those of the replay."""

from collections.abc import Mapping

import numpy as np
import pytest
from defusedxml import ElementTree

from luna.contracts.agent import PolicyDayTrace
from luna.contracts.replay import ReplayReply
from luna.energy.timeline import SLOT
from luna.words import Numbers, say_policy
from luna.words.charts.files import SCALE, write_png
from services.agent.evaluation.picture import count_traded, draw_day, trace_day
from services.planner.replay import DayLog, DayResult, ReplayData, ReplaySpec, Rules, run
from tests.support.planning.replay import WINDOW, ZONE, make_scene

POLICIES = ["mpc", "self_consumption", "oracle"]


@pytest.fixture(scope="module")
def scene() -> ReplayData:
    return make_scene(3)


@pytest.fixture(scope="module")
def lived(scene: ReplayData) -> tuple[ReplayReply, list[DayResult]]:
    days: list[DayResult] = []
    return run(scene, ReplaySpec(POLICIES, 4), book=DayLog(keep=days.append)).reply, days


@pytest.fixture(scope="module")
def traces(
    scene: ReplayData, lived: tuple[ReplayReply, list[DayResult]]
) -> Mapping[str, PolicyDayTrace]:
    reply, days = lived
    return trace_day(
        scene,
        Rules.of(scene),
        days[1],
        {name: policy.days[1] for name, policy in reply.policies.items()},
    )


def test_every_slot_of_the_day_is_there_and_its_energies_add_up(
    traces: Mapping[str, PolicyDayTrace],
) -> None:
    for trace in traces.values():
        assert [slot.start for slot in trace.slots] == [
            WINDOW.start + number * SLOT for number in range(96, 192)
        ]
        for slot in trace.slots:
            # Nothing is held back: prices are what they are, but export never costs in this scene's
            # prices unless they are negative.
            left = (
                slot.pv_kwh
                + slot.import_kwh
                + slot.discharge_kwh
                - slot.load_kwh
                - slot.charge_kwh
                - slot.export_kwh
            )
            assert -1e-9 <= left <= slot.pv_kwh + 1e-9


def test_a_traces_cost_is_the_replays_and_its_slots_make_it(
    scene: ReplayData,
    lived: tuple[ReplayReply, list[DayResult]],
    traces: Mapping[str, PolicyDayTrace],
) -> None:
    reply, days = lived
    wear = scene.site.batteries[0].wear_price
    for name, trace in traces.items():
        assert (trace.cost, trace.value_gain) == (
            reply.policies[name].days[1].cost,
            reply.policies[name].days[1].value_gain,
        )
        money = sum(
            slot.import_kwh * slot.import_price - slot.export_kwh * slot.export_price
            for slot in trace.slots
        )
        throughput = sum(slot.charge_kwh + slot.discharge_kwh for slot in trace.slots)
        assert money + wear * throughput == pytest.approx(trace.cost)
        held = days[1].records[name].standing.stored_kwh[0] / scene.site.batteries[0].capacity_kwh
        assert trace.slots[-1].soc == pytest.approx(held)


def test_traded_slots_are_counted_by_the_days_median_price() -> None:
    price = np.array([0.1, 0.2, 0.3, 0.4])  # median 0.25
    found = count_traded(np.array([1.0, 0.5, 1e-9, 2.0]), price)
    assert (found.slots, found.kwh, found.cheap, found.dear) == (3, 3.5, 2, 1)
    assert found.mean_price == pytest.approx((0.1 + 0.2 + 0.4) / 3)


def test_who_trades_nothing_has_no_price() -> None:
    found = count_traded(np.zeros(4), np.ones(4))
    assert (found.slots, found.mean_price, found.cheap, found.dear) == (0, None, 0, 0)


def test_the_picture_is_light_names_every_policy_and_is_the_same_each_time(
    traces: Mapping[str, PolicyDayTrace],
) -> None:
    pictures = [
        draw_day(traces, title="home", numbers=Numbers("en", ZONE, "EUR")) for _ in range(2)
    ]
    words = "".join(ElementTree.fromstring(pictures[0]).itertext())
    assert all(say_policy(name, language="en") in words for name in traces)
    assert len(pictures[0]) < 100_000
    assert pictures[0] == pictures[1]


def test_no_hour_line_crosses_what_a_panel_shows(traces: Mapping[str, PolicyDayTrace]) -> None:
    svg = draw_day(traces, title="home", numbers=Numbers("en", ZONE, "EUR"))
    for words in ("import price (ct/kWh)", "power (kW), charging up", "state of charge (%)"):
        background = svg.rindex('class="surface"', 0, svg.index(f">{words}<"))
        assert background > svg.rindex('class="grid"')


def test_the_picture_as_png_is_as_wide_as_the_drawing_and_the_same_each_time(
    traces: Mapping[str, PolicyDayTrace],
) -> None:
    svg = draw_day(traces, title="home", numbers=Numbers("en", ZONE, "EUR"))
    png = write_png(svg)
    # Signature, then the first chunk's length, name and width. Source: PNG specification, 5.2 and
    # 11.2.1.
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(png[16:20]) == SCALE * float(ElementTree.fromstring(svg).attrib["width"])
    assert png == write_png(svg)
