"""The prices of a plan, and the worth of its stored energy, slot by slot.

Arrays are shaped as those of ``SlotFlows``. What is unknown, or not to be shown, is NaN.
"""

import numpy as np

from luna.energy.physics.mode import BoolArray
from luna.energy.timeline import FloatArray, bound
from luna.words.numbers import price_scale
from services.planner.dp.plan import Plan
from services.planner.dp.segments import FORBIDDEN_VALUE
from services.planner.reply.flow_shares import NOTHING_KWH
from services.planner.reply.slot_flows import SlotFlows

# Prices count in hundredths of what is shown: closer ones read the same.
_SAME_PRICE = 0.01
# Values are exact to this much.
TINY_PRICE = 1e-6


class SlotWorth(SlotFlows):
    """The prices of a plan, and what its batteries' energy is worth."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self._read_tariffs()
        self._read_values()
        self._read_uses()

    # --- tariffs ----------------------------------------------------------------------------------

    def _read_tariffs(self) -> None:
        # How close two prices may be and still read the same.
        self.same_price = _SAME_PRICE / price_scale(self.plan.problem.site.currency)
        tariff = self.plan.problem.at_tariff_prices.outlook
        # Where a price depends on the energy drawn before, it is the mean of what is drawn.
        cost = self.plan.costs.import_cost
        depends_on_drawn = (self.imports > NOTHING_KWH) & (
            cost != self.imports * tariff.import_price
        )
        self.buy: FloatArray = np.divide(
            cost, self.imports, out=tariff.import_price.copy(), where=depends_on_drawn
        )
        self.sell: FloatArray = tariff.export_price
        # The plan's own price of a bought kWh: other than the paid one where more than money
        # counts, or prices come in blocks.
        self.counted: FloatArray = self.plan.problem.outlook.import_price
        self.counts_at_tariff: BoolArray = np.abs(self.counted - self.buy) <= TINY_PRICE
        # Payment for drawing from the grid, and cost of feeding in, in slots with such prices.
        self.grid_is_paying: BoolArray = self.buy <= -self.same_price
        self.feeding_in_costs: BoolArray = self.sell <= -self.same_price
        self.grid_pays: FloatArray = np.where(self.grid_is_paying, -self.buy, np.nan)
        self.fee: FloatArray = np.where(self.feeding_in_costs, -self.sell, np.nan)
        # Price of sold surplus, where some is sold for more than nothing.
        has_sale = self.sells_sun & ~self.feeding_in_costs
        self.sale: FloatArray = np.where(has_sale, self.sell, np.nan)

    # --- stored energy ----------------------------------------------------------------------------

    def _read_values(self) -> None:
        self.wear_price: FloatArray = self.plan.problem.wear_price
        # What the dearest kWh could stand for bounds what a stored one is worth.
        outlook = self.plan.problem.outlook
        prices = [outlook.import_price, outlook.export_price, self.plan.problem.terminal.value]
        dearest = float(np.abs(np.concatenate(prices)).max(initial=0.0)) + self.wear_price
        efficiency = np.minimum(self.battery.charge_efficiency, self.battery.discharge_efficiency)
        most = dearest / efficiency
        last_value = self.plan.energy_value
        next_value = last_value
        if self.plan.value is not None:
            above_lowest_kwh = self.end_kwh[0] - self.battery.min_kwh[0, 0]
            _, more = self.plan.value.function.marginal(above_lowest_kwh)
            next_value = more[None, :]
        # Where surplus is left, that of one more kWh, elsewhere that of the last one.
        takes_more = self.rests & self.has_surplus & (np.abs(next_value) < FORBIDDEN_VALUE / 2)
        own = np.where(takes_more, next_value, last_value)
        # Value of a stored kWh at the end of the slot.
        self.energy_value: FloatArray = bound(own, -most, most)
        # The same in money: unknown where a limit or a wish makes energy priceless, or more than
        # money counts; and where more counts, unknown elsewhere.
        weighs_more_than_money = self.plan.problem.billed is not None
        is_priceless = np.abs(own) > most
        self.value: FloatArray = np.where(is_priceless | weighs_more_than_money, np.nan, own)
        self.counted_value: FloatArray = np.where(weighs_more_than_money, self.energy_value, np.nan)

    def _read_uses(self) -> None:
        charging = self.battery.charge_efficiency
        giving = self.battery.discharge_efficiency
        # Per kWh, after losses and wear: the value of charging now, and the gain of using or
        # selling a stored one now.
        self.keep: FloatArray = self.value * charging - self.wear_price
        self.save: FloatArray = (self.counted - self.wear_price) * giving
        self.sold: FloatArray = (self.sell - self.wear_price) * giving
        # Price of a kWh given in the slot: that of buying where most of it is for the house, else
        # that of selling; and the plan's own price.
        serves_most = self.serves & (self.served_kwh >= self.sold_kwh)
        self.brings: FloatArray = np.where(serves_most, self.buy, self.sell)
        self.counted_use: FloatArray = np.where(serves_most, self.counted, self.sell)
        # What is left of a kWh that is charged and given again.
        self.return_share: FloatArray = charging * giving
        self._loading_wear: FloatArray = self.wear_price * (1.0 / self.return_share + 1.0)
        # Lowest cost of a kWh given later that is bought, or not sold: no less than it costs now;
        # the plan may count it otherwise.
        self.loaded_counted: FloatArray = self.loaded_price(self.counted)
        self.loaded_sell: FloatArray = self.loaded_price(self.sell)
        self.bought_cost: FloatArray = np.maximum(self.buy, self.loaded_price(self.buy))
        self.unsold_cost: FloatArray = np.maximum(self.sell, self.loaded_sell)

    # --- comparisons ------------------------------------------------------------------------------

    def below(self, low: FloatArray, high: FloatArray) -> BoolArray:
        """Return whether one price is visibly lower than the other."""
        return np.asarray(high - low >= self.same_price)

    def at_most(self, low: FloatArray, high: FloatArray) -> BoolArray:
        """Return whether one price is no higher than the other."""
        return np.asarray(high >= low - TINY_PRICE)

    def about_at_most(self, low: FloatArray, high: FloatArray) -> BoolArray:
        """Return whether one price is no higher than the other, or reads the same."""
        return np.asarray(high >= low - self.same_price)

    def loaded_price(self, price: FloatArray) -> FloatArray:
        """Return the cost of a kWh loaded at a price and given later, with losses and wear."""
        return price / self.return_share + self._loading_wear
