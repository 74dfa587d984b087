"""Constants of the interface control documents, one a line: unit in the name, source behind it."""

from typing import Final

#: Speed of light in vacuum [m/s]. SI definition.
LIGHT_SPEED_MPS: Final = 299_792_458.0

# Earth's gravitation and rotation as each system defines them.
GM_GPS_M3S2: Final = 3.986005e14  # [m^3/s^2] IS-GPS-200, table 20-IV; IS-QZSS-PNT; NavIC SIS ICD
GM_GALILEO_M3S2: Final = 3.986004418e14  # [m^3/s^2] Galileo OS SIS ICD 5.1.1
GM_BEIDOU_M3S2: Final = 3.986004418e14  # [m^3/s^2] BDS-SIS-ICD-B1I 5.2.4
GM_GLONASS_M3S2: Final = 3.986004418e14  # [m^3/s^2] GLONASS ICD (PZ-90.11)
OMEGA_E_GPS_RADPS: Final = 7.2921151467e-5  # [rad/s] IS-GPS-200, table 20-IV; also Galileo, QZSS, NavIC
OMEGA_E_BEIDOU_RADPS: Final = 7.2921150e-5  # [rad/s] BDS-SIS-ICD-B1I 5.2.4
OMEGA_E_GLONASS_RADPS: Final = 7.292115e-5  # [rad/s] GLONASS ICD (PZ-90.11)
AE_GLONASS_M: Final = 6_378_136.0  # [m] GLONASS ICD: equatorial radius of PZ-90
J2_GLONASS: Final = 1.0826257e-3  # [-] GLONASS ICD: second zonal harmonic
BEIDOU_GEO_TILT_RAD: Final = -0.08726646259971647  # [rad] -5 deg; BDS-SIS-ICD-B1I 5.2.4.12

# Time.
DEFAULT_STEP_S: Final = 300.0  # [s] between epochs where nobody says otherwise, as precise orbits have them
SECONDS_PER_DAY: Final = 86_400
SECONDS_PER_WEEK: Final = 604_800
NS_PER_S: Final = 1_000_000_000
BDT_MINUS_GPST_S: Final = -14  # [s] BDS-SIS-ICD: BDT began 2006-01-01 with GPST - UTC at 14 s
GLONASST_MINUS_UTC_S: Final = 10_800  # [s] GLONASS ICD 3.3.3
