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
        v0 = ((a23 - a23) == 0.0)
        v1 = (a12 >= (0))
        v2 = (a12 <= (5))
        v3 = (v1 & v2)
        v4 = (v3 & v0)
        v5 = choose(v4, a12, (3))
        v6 = (v5 == (4))
        v7 = (not a10)
        v8 = (v6 & v7)
        v9 = choose(v8, (1), v5)
        v10 = (v9 == (5))
        v11 = (not a11)
        v12 = (v10 & v11)
        v13 = choose(v12, (2), v9)
        v14 = (v13 == (4))
        v15 = choose(v14, a3, a4)
        v16 = choose(v14, a1, a2)
        v17 = (a18 >= (0))
        v18 = (a22 & v17)
        v19 = (a18 <= (2))
        v20 = (v18 & v19)
        v21 = choose(v20, a18, (0))
        v22 = (a13 != a13)
        v23 = choose(v22, (0.0), a13)
        v24 = most(v23, (0.0))
        v25 = least(v24, v15)
        v26 = (a14 != a14)
        v27 = choose(v26, v16, a14)
        v28 = most(v27, a1)
        v29 = least(v28, a2)
        v30 = (a15 != a15)
        v31 = choose(v30, a2, a15)
        v32 = most(v31, a1)
        v33 = least(v32, a2)
        v34 = (a16 != a16)
        v35 = choose(v34, a1, a16)
        v36 = most(v35, a1)
        v37 = least(v36, a2)
        v38 = (a17 != a17)
        v39 = choose(v38, a1, a17)
        v40 = most(v39, a1)
        v41 = least(v40, a2)
        v42 = (a19 != a19)
        v43 = (not v42)
        v44 = (a22 & v43)
        v45 = most(a19, (0.0))
        v46 = choose(v44, v45, inf)
        v47 = (v46 * a26)
        v48 = (v21 == (2))
        v49 = least(a25, v47)
        v50 = choose(v48, (0.0), v49)
        v51 = (a24 - v50)
        v52 = most(v51, (0.0))
        v53 = (v50 - a24)
        v54 = most(v53, (0.0))
        v55 = (a20 * a26)
        v56 = (a21 * a26)
        v57 = ((a23 - a23) == 0.0)
        v58 = ((1.0) - a8)
        v59 = most(v58, (1e-12))
        v60 = (a23 / a0)
        v61 = (v60 - a8)
        v62 = (v61 / v59)
        v63 = most(v62, (0.0))
        v64 = least(v63, (1.0))
        v65 = ((1.0) - a9)
        v66 = (v64 * v65)
        v67 = ((1.0) - v66)
        v68 = (a3 * v67)
        v69 = (v68 * a26)
        v70 = (a2 * a0)
        v71 = (v70 - a23)
        v72 = most(v71, (0.0))
        v73 = (v72 / a5)
        v74 = least(v69, v73)
        v75 = choose(v57, v74, (0.0))
        v76 = (a4 * a26)
        v77 = (a1 * a0)
        v78 = (a23 - v77)
        v79 = most(v78, (0.0))
        v80 = (v79 * a6)
        v81 = least(v76, v80)
        v82 = choose(v57, v81, (0.0))
        v83 = (v13 == (4))
        v84 = (v13 == (5))
        v85 = most(v37, v29)
        v86 = choose(v83, v85, v37)
        v87 = least(v33, v29)
        v88 = choose(v84, v87, v33)
        v89 = (v13 <= (1))
        v90 = (v13 == (4))
        v91 = (v89 | v90)
        v92 = (v86 * a0)
        v93 = (v92 - a23)
        v94 = most(v93, (0.0))
        v95 = (v94 / a5)
        v96 = least(v75, v95)
        v97 = choose(v91, v96, (0.0))
        v98 = (a22 & v57)
        v99 = (v41 * a0)
        v100 = (v99 - a23)
        v101 = most(v100, (0.0))
        v102 = (v101 / a5)
        v103 = least(v75, v102)
        v104 = choose(v98, v103, v75)
        v105 = (v13 == (2))
        v106 = (v13 == (5))
        v107 = (v105 | v106)
        v108 = (v13 < (1))
        v109 = (v107 | v108)
        v110 = (v88 * a0)
        v111 = (a23 - v110)
        v112 = most(v111, (0.0))
        v113 = (v112 * a6)
        v114 = least(v82, v113)
        v115 = choose(v109, v114, (0.0))
        v116 = (v29 * a0)
        v117 = (v116 - a23)
        v118 = most(v117, (0.0))
        v119 = (v118 / a5)
        v120 = least(v75, v119)
        v121 = choose(v83, v120, (0.0))
        v122 = (v29 * a0)
        v123 = (a23 - v122)
        v124 = most(v123, (0.0))
        v125 = (v124 * a6)
        v126 = least(v82, v125)
        v127 = choose(v84, v126, (0.0))
        v128 = (v25 * a26)
        v129 = (a7 * a26)
        v131 = most(v115, (0.0))
        v132 = most(v52, (0.0))
        v133 = least(v132, v131)
        v134 = (v52 - v55)
        v135 = (v134 - v133)
        v136 = (v82 - v133)
        v137 = most(v136, (0.0))
        v138 = most(v135, (0.0))
        v139 = least(v138, v137)
        v140 = (v133 + v139)
        v141 = (v52 - v140)
        v142 = most(v141, (0.0))
        v143 = most(v97, (0.0))
        v144 = most(v54, (0.0))
        v145 = least(v144, v143)
        v146 = (v104 - v145)
        v147 = (v54 - v56)
        v148 = (v147 - v145)
        v149 = most(v146, (0.0))
        v150 = most(v148, (0.0))
        v151 = least(v150, v149)
        v152 = (v151 > (1e-09))
        v153 = (v129 - v145)
        v154 = most(v151, v153)
        v155 = least(v154, v146)
        v156 = choose(v152, v155, (0.0))
        v157 = (v54 - v145)
        v158 = most(v156, (0.0))
        v159 = most(v157, (0.0))
        v160 = least(v159, v158)
        v161 = (v145 + v160)
        v162 = (v54 - v161)
        v163 = (v121 - v161)
        v164 = least(v163, v128)
        v165 = (v161 > (0.0))
        v166 = (v127 - v140)
        v167 = least(v166, v128)
        v168 = choose(v165, (0.0), v167)
        v169 = (v56 - v162)
        v170 = most(v164, (0.0))
        v171 = (v169 + v170)
        v172 = most(v168, (0.0))
        v173 = most(v171, (0.0))
        v174 = least(v173, v172)
        v175 = (v55 - v142)
        v176 = (v175 + v174)
        v177 = most(v164, (0.0))
        v178 = most(v176, (0.0))
        v179 = least(v178, v177)
        v180 = ((0.0) + v161)
        v181 = (v180 + v179)
        v182 = (v140 + v174)
        v183 = (v181 > (0.0))
        v184 = (v129 - (1e-09))
        v185 = (v181 < v184)
        v186 = (v183 & v185)
        v187 = (v21 == (1))
        v188 = (v187 & a22)
        v189 = (v54 - v161)
        v190 = most(v189, (0.0))
        v191 = least(v179, v174)
        v192 = (v179 - v191)
        v193 = (v174 - v191)
        v194 = (a25 - v50)
        v195 = (v142 - v55)
        v196 = most(v195, (0.0))
        v197 = least(v194, v196)
        v198 = (v56 - v193)
        v199 = most(v198, (0.0))
        v200 = choose(v188, (0.0), v199)
        v201 = (v190 - v200)
        v202 = most(v201, (0.0))
        v203 = choose(a22, v202, (0.0))
        v204 = (v50 + v197)
        v205 = least(v204, a25)
        v206 = (a25 - v205)
        v207 = (v206 - (0.0))
        v208 = (v207 + v203)
        v209 = (v142 - v197)
        v210 = (v209 + v192)
        v211 = (v190 - v203)
        v212 = (v211 + v193)
        v213 = (v210 - v55)
        v214 = most(v213, (0.0))
        v215 = (v212 - v56)
        v216 = most(v215, (0.0))
        v217 = (v214 + v216)
        v218 = (v181 * a5)
        v219 = (a23 + v218)
        v220 = (v182 / a6)
        v221 = (v219 - v220)
        v222 = (v217 > (1e-09))
        v223 = choose(v222, v217, (0.0))
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
        made[10, i] = v221
        made[11, i] = v210
        made[12, i] = v212
        made[13, i] = v208
        made[14, i] = v223
        made[15, i] = (v186 != 0.0)
