# fmt: off
# mypy: ignore-errors
"""What physics does with one battery in each slot, recorded by tests/unit/planner/test_settlement.py: not to be changed by hand."""

from numpy import inf

from luna.energy.timeline import FloatArray
from services.planner.loops import loop, loop_part


@loop_part
def least(one: float, other: float) -> float:
    return one if (one < other) | (one != one) else other


@loop_part
def most(one: float, other: float) -> float:
    return one if (one > other) | (one != one) else other


@loop_part
def choose(where: bool, one: float, other: float) -> float:
    return one if where else other


@loop
def settle_slots(inputs: FloatArray, made: FloatArray) -> None:
    for i in range(inputs.shape[1]):
        a0 = inputs[0, i]
        a1 = inputs[1, i]
        a2 = inputs[2, i]
        a3 = inputs[3, i]
        a4 = inputs[4, i]
        a5 = inputs[5, i]
        a6 = inputs[6, i]
        a7 = inputs[7, i]
        a8 = inputs[8, i]
        a9 = inputs[9, i]
        a10 = inputs[10, i] != 0.0
        a11 = inputs[11, i] != 0.0
        a12 = inputs[12, i]
        a13 = inputs[13, i]
        a14 = inputs[14, i]
        a15 = inputs[15, i]
        a16 = inputs[16, i]
        a17 = inputs[17, i]
        a18 = inputs[18, i]
        a19 = inputs[19, i]
        a20 = inputs[20, i]
        a21 = inputs[21, i]
        a22 = inputs[22, i] != 0.0
        a23 = inputs[23, i]
        a24 = inputs[24, i]
        a25 = inputs[25, i]
        a26 = inputs[26, i]
        v5 = choose((((a12 >= (0)) & (a12 <= (5))) & ((a23 - a23) == 0.0)), a12, (3))
        v9 = choose(((v5 == (4)) & (not a10)), (1), v5)
        v13 = choose(((v9 == (5)) & (not a11)), (2), v9)
        v14 = (v13 == (4))
        v21 = choose(((a22 & (a18 >= (0))) & (a18 <= (2))), a18, (0))
        v25 = least(most(choose((a13 != a13), (0.0), a13), (0.0)), choose(v14, a3, a4))
        v29 = least(most(choose((a14 != a14), choose(v14, a1, a2), a14), a1), a2)
        v33 = least(most(choose((a15 != a15), a2, a15), a1), a2)
        v37 = least(most(choose((a16 != a16), a1, a16), a1), a2)
        v41 = least(most(choose((a17 != a17), a1, a17), a1), a2)
        v46 = choose((a22 & (not (a19 != a19))), most(a19, (0.0)), inf)
        v50 = choose((v21 == (2)), (0.0), least(a25, (v46 * a26)))
        v52 = most((a24 - v50), (0.0))
        v54 = most((v50 - a24), (0.0))
        v55 = (a20 * a26)
        v56 = (a21 * a26)
        v57 = ((a23 - a23) == 0.0)
        v69 = ((a3 * ((1.0) - (least(most((((a23 / a0) - a8) / most(((1.0) - a8), (1e-12))), (0.0)), (1.0)) * ((1.0) - a9)))) * a26)
        v75 = choose(v57, least(v69, (most(((a2 * a0) - a23), (0.0)) / a5)), (0.0))
        v82 = choose(v57, least((a4 * a26), (most((a23 - (a1 * a0)), (0.0)) * a6)), (0.0))
        v83 = (v13 == (4))
        v84 = (v13 == (5))
        v96 = least(v75, (most(((choose(v83, most(v37, v29), v37) * a0) - a23), (0.0)) / a5))
        v114 = least(v82, (most((a23 - (choose(v84, least(v33, v29), v33) * a0)), (0.0)) * a6))
        v128 = (v25 * a26)
        v129 = (a7 * a26)
        v133 = least(most(v52, (0.0)), most(choose((((v13 == (2)) | (v13 == (5))) | (v13 < (1))), v114, (0.0)), (0.0)))
        v140 = (v133 + least(most(((v52 - v55) - v133), (0.0)), most((v82 - v133), (0.0))))
        v142 = most((v52 - v140), (0.0))
        v145 = least(most(v54, (0.0)), most(choose(((v13 <= (1)) | (v13 == (4))), v96, (0.0)), (0.0)))
        v146 = (choose((a22 & v57), least(v75, (most(((v41 * a0) - a23), (0.0)) / a5)), v75) - v145)
        v151 = least(most(((v54 - v56) - v145), (0.0)), most(v146, (0.0)))
        v160 = least(most((v54 - v145), (0.0)), most(choose((v151 > (1e-09)), least(most(v151, (v129 - v145)), v146), (0.0)), (0.0)))
        v161 = (v145 + v160)
        v164 = least((choose(v83, least(v75, (most(((v29 * a0) - a23), (0.0)) / a5)), (0.0)) - v161), v128)
        v167 = least((choose(v84, least(v82, (most((a23 - (v29 * a0)), (0.0)) * a6)), (0.0)) - v140), v128)
        v174 = least(most(((v56 - (v54 - v161)) + most(v164, (0.0))), (0.0)), most(choose((v161 > (0.0)), (0.0), v167), (0.0)))
        v179 = least(most(((v55 - v142) + v174), (0.0)), most(v164, (0.0)))
        v181 = (((0.0) + v161) + v179)
        v182 = (v140 + v174)
        v190 = most((v54 - v161), (0.0))
        v191 = least(v179, v174)
        v193 = (v174 - v191)
        v197 = least((a25 - v50), most((v142 - v55), (0.0)))
        v203 = choose(a22, most((v190 - choose(((v21 == (1)) & a22), (0.0), most((v56 - v193), (0.0)))), (0.0)), (0.0))
        v210 = ((v142 - v197) + (v179 - v191))
        v212 = ((v190 - v203) + v193)
        v217 = (most((v210 - v55), (0.0)) + most((v212 - v56), (0.0)))
        made[0, i] = v13
        made[1, i] = v25
        made[2, i] = v29
        made[3, i] = v33
        made[4, i] = v37
        made[5, i] = v41
        made[6, i] = v21
        made[7, i] = v46
        made[8, i] = v181
        made[9, i] = v182
        made[10, i] = ((a23 + (v181 * a5)) - (v182 / a6))
        made[11, i] = v210
        made[12, i] = v212
        made[13, i] = (((a25 - least((v50 + v197), a25)) - (0.0)) + v203)
        made[14, i] = choose((v217 > (1e-09)), v217, (0.0))
        made[15, i] = (((v181 > (0.0)) & (v181 < (v129 - (1e-09)))) != 0.0)
