"""An interval beside zero: how far one thing is ahead of another, and how sure that is."""

from markupsafe import Markup

from luna.words.charts.svg import circle, join, number, rectangle, rule, text

WIDTH, TOP, BAR, HEIGHT, EDGE = 300.0, 12.0, 8.0, 44.0, 30.0
STEPS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


def draw_interval(low: float, value: float, high: float, *, label: str, unit: str) -> Markup:
    """Return a bar from ``low`` to ``high`` with a mark at ``value`` on an axis around zero; ``unit`` is what its ticks count."""
    reach = max(abs(low), abs(high), abs(value), STEPS[0])
    step = next((each for each in STEPS if each * 2 >= reach), STEPS[-1])
    span = max(2 * step, reach)

    def x(amount: float) -> float:
        return EDGE + (amount + span) / (2 * span) * (WIDTH - 2 * EDGE)

    ticks = [amount for amount in (-2 * step, -step, 0.0, step, 2 * step) if abs(amount) <= span]
    ruled = join(rule((x(each), TOP - 8), (x(each), TOP + BAR + 8), "interval-zero" if each == 0 else "interval-tick") for each in ticks)
    said = [f"{'+' if each > 0 else '−' if each < 0 else ''}{abs(each):g}{unit}" for each in ticks]
    words = join(text((x(each), HEIGHT - 4), amount, "tick", anchor="middle") for each, amount in zip(ticks, said, strict=True))
    bar = rectangle((x(low), TOP, max(x(high) - x(low), 1.0), BAR), "interval-bar", rx="4")
    opening = Markup('<svg class="interval" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(number(WIDTH), number(HEIGHT), label)
    return opening + ruled + bar + circle((x(value), TOP + BAR / 2), 5.0, "interval-mark") + words + Markup("</svg>")
