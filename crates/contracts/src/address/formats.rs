//! The facts behind `country`. Sources: ISO 3166-1 for the codes; the Universal Postal Union's
//! descriptions of postal addressing systems, and CLDR's former postal code data, for the forms of
//! postcodes; ISO 3166-2 for states and provinces.

use super::country::{Format, Province};

/// All officially assigned codes of ISO 3166-1 alpha-2.
pub(super) const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE \
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM \
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC \
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA \
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO \
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

const AU: &[&str] = &["NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT"];
const BR: &[&str] = &[
    "SP", "AC", "AL", "AP", "AM", "BA", "CE", "DF", "ES", "GO", "MA", "MT", "MS", "MG", "PA", "PB",
    "PR", "PE", "PI", "RJ", "RN", "RS", "RO", "RR", "SC", "SE", "TO",
];
const CA: &[&str] = &[
    "ON", "AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "PE", "QC", "SK", "YT",
];
/// States, the district, the territories, and the armed forces' post.
const US: &[&str] = &[
    "CA", "AL", "AK", "AZ", "AR", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS",
    "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY",
    "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV",
    "WI", "WY", "DC", "AS", "GU", "MP", "PR", "UM", "VI", "FM", "MH", "PW", "AA", "AE", "AP",
];

/// Postcode needed, province free: what most countries ask.
const fn of(country: &'static str, postcodes: &'static [&'static str]) -> Format {
    Format {
        country,
        postcodes,
        postcode_optional: false,
        province: Province::Free,
    }
}

/// No postcodes at all.
const fn without(country: &'static str) -> Format {
    of(country, &[])
}

/// Postcodes exist, but need not be given.
const fn maybe(country: &'static str, postcodes: &'static [&'static str]) -> Format {
    Format {
        postcode_optional: true,
        ..of(country, postcodes)
    }
}

/// Postcode and province needed.
const fn both(
    country: &'static str,
    postcodes: &'static [&'static str],
    province: Province,
) -> Format {
    Format {
        province,
        ..of(country, postcodes)
    }
}

/// By country code.
pub(super) const FORMATS: &[Format] = &[
    Format {
        province: Province::Required,
        ..without("AE")
    },
    maybe("AR", &["9999", "A9999AAA"]),
    of("AT", &["9999"]),
    both("AU", &["9999"], Province::OneOf(AU)),
    of("BE", &["9999"]),
    of("BG", &["9999"]),
    both("BR", &["99999-999"], Province::OneOf(BR)),
    without("BS"),
    both("CA", &["A9A 9A9"], Province::OneOf(CA)),
    of("CH", &["9999"]),
    maybe("CL", &["9999999"]),
    both("CN", &["999999"], Province::Required),
    maybe("CO", &["999999"]),
    of("CY", &["9999"]),
    of("CZ", &["999 99"]),
    of("DE", &["99999"]),
    of("DK", &["9999", "DK-9999"]),
    of("EE", &["99999"]),
    of("ES", &["99999"]),
    of("FI", &["99999", "FI-99999"]),
    of("FR", &["99999"]),
    of(
        "GB",
        &[
            "A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA", "GIR 0AA",
        ],
    ),
    of("GR", &["999 99"]),
    without("HK"),
    of("HR", &["99999", "HR-99999"]),
    of("HU", &["9999"]),
    of("ID", &["99999"]),
    maybe("IE", &["A99 ****", "A9A ****"]),
    of("IL", &["9999999", "99999"]),
    both("IN", &["999 999"], Province::Required),
    of("IS", &["999"]),
    both("IT", &["99999"], Province::Free),
    both("JP", &["999-9999"], Province::Required),
    both("KR", &["99999"], Province::Required),
    of("LI", &["9999"]),
    of("LT", &["99999", "LT-99999"]),
    of("LU", &["9999", "L-9999"]),
    of("LV", &["LV-9999", "9999"]),
    of("MC", &["99999"]),
    without("MO"),
    of("MT", &["AAA 9999"]),
    both("MX", &["99999"], Province::Required),
    of("MY", &["99999"]),
    of("NL", &["9999 AA"]),
    of("NO", &["9999"]),
    of("NZ", &["9999"]),
    without("PA"),
    maybe("PH", &["9999"]),
    of("PL", &["99-999"]),
    of("PT", &["9999-999"]),
    without("QA"),
    of("RO", &["999999"]),
    maybe("RS", &["99999", "999999"]),
    maybe("SA", &["99999", "99999-9999"]),
    of("SE", &["999 99", "SE-999 99"]),
    of("SG", &["999999"]),
    of("SI", &["9999", "SI-9999"]),
    of("SK", &["999 99"]),
    of("TH", &["99999"]),
    of("TR", &["99999"]),
    maybe("TW", &["999", "99999", "999999"]),
    of("UA", &["99999"]),
    both("US", &["99999", "99999-9999"], Province::OneOf(US)),
    maybe("VN", &["99999", "999999"]),
    of("ZA", &["9999"]),
];
