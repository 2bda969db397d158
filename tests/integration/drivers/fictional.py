"""An inverter that does not exist, as its owner would describe it: registers without SunSpec, one power with a sign, watts in place of shares."""

PROFILE = """
profile: fictional
title: Fictional hybrid with registers of its own
kind: battery_inverter
covers: [{brand: Fictional, models: "Hybrid 5"}]
transport: {kind: modbus_tcp, port: 1502, unit: 3}
points:
  soc: {register: 100, type: uint16, scale: 0.1, unit: "%"}
  battery_power: {register: 101, type: int32, unit: W}
  pv_power: {register: 103, type: float32, unit: W}
  limit: {register: 110, type: uint16, scale: 10, unit: W}
  mode: {register: 200, type: uint16, low: 0, high: 5, persistence: volatile}
  power: {register: 201, type: int16, unit: W, low: -10000, high: 10000, persistence: volatile}
reads:
  soc: [soc]
  charge_w: [battery_power]
  discharge_w: [-battery_power]
  pv_w: [pv_power]
limits: {charge_w: limit, discharge_w: limit}
modes:
  self_consumption: [{write: mode, value: 0}]
  save: [{write: mode, value: 1}]
  supply: [{write: mode, value: 2}]
  hold: [{write: mode, value: 3}]
  charge: [{write: power, put: power_w}, {write: mode, value: 4}]
  export: [{write: power, put: power_w, sign: -1}, {write: mode, value: 4}]
reverts: {after_s: null}
evidence: [{kind: simulator, source: a test}]
simulated: {values: {limit: 5000}}
"""
