"""Radius and inclination of each system's orbit classes, as its nominal constellation has them."""

from __future__ import annotations

from dataclasses import dataclass

from gnss_coop.elements.almanac import orbit_class
from gnss_coop.elements.nominal import CONSTELLATIONS, SlotSet
from gnss_coop.errors import ScenarioError
from gnss_coop.model.systems import SYSTEMS


@dataclass(frozen=True, slots=True)
class OrbitShape:
    """An orbit class of a system.

    Attributes
    ----------
    system : str
        RINEX letter.
    orbit : str
        MEO, IGSO or GEO.
    slots : SlotSet
        Its satellites in the nominal constellation.

    Examples
    --------
    >>> shape = OrbitShape.parse("C:IGSO")
    >>> shape.radius_m, shape.inclination_deg, shape.label, shape.satellites
    (42164200.0, 55.0, 'BeiDou IGSO', ('C04', 'C05', 'C06'))
    """

    system: str
    orbit: str
    slots: SlotSet

    @classmethod
    def of(cls, system: str, orbit: str) -> OrbitShape:
        """Return the class of a system.

        Raises
        ------
        ScenarioError
            If the nominal constellation of the system has no such orbit.
        """
        letter, name = system.strip().upper(), orbit.strip().upper()
        for slots in CONSTELLATIONS.get(letter, ()):
            if name == _class_of(slots):
                return cls(letter, name, slots)
        known = ", ".join(f"{key}:{_class_of(slots)}" for key, sets in CONSTELLATIONS.items() for slots in sets)
        raise ScenarioError(f"no orbit {system}:{orbit} is known; write one of {known}")

    @classmethod
    def parse(cls, text: str) -> OrbitShape:
        """Return the class that a text such as ``C:IGSO`` names; MEO may be left out.

        Raises
        ------
        ScenarioError
            If there is none.
        """
        system, _, orbit = text.partition(":")
        return cls.of(system, orbit or "MEO")

    @property
    def radius_m(self) -> float:
        """Radius of the orbit [m]."""
        return self.slots.radius_m

    @property
    def inclination_deg(self) -> float:
        """Inclination, which is the highest latitude below a satellite [deg]."""
        return self.slots.inclination_deg

    @property
    def label(self) -> str:
        """Name of the system, and the class."""
        return f"{SYSTEMS[self.system].name} {self.orbit}"

    @property
    def satellites(self) -> tuple[str, ...]:
        """Names of its satellites in the nominal constellation."""
        first = self.slots.first_number
        return tuple(f"{self.system}{first + i:02d}" for i in range(len(self.slots.slots)))


def _class_of(slots: SlotSet) -> str:
    return str(orbit_class(slots.radius_m, slots.inclination_deg))
