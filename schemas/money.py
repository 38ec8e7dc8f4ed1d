"""Amounts: strings on the wire, whole minor units (fen for CNY) inside; never floats."""

import re

_AMOUNT = re.compile(r"^(\d{1,15})(?:\.(\d{1,2}))?$", re.ASCII)

# Decimals of ISO 4217 currencies; two where nothing else is said. Currencies of three decimals are
# not taken, since an amount on the wire has two at most.
_NO_DECIMALS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())
CURRENCIES = _NO_DECIMALS | frozenset(
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF "
    "CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG "
    "HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
    "MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
    "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED "
    "VES WST XCD YER ZAR ZMW ZWG".split()
)


def decimals(currency: str) -> int:
    """How many decimals amounts of `currency` have (ISO 4217).

    Raises:
        ValueError: not a currency we take.
    """
    if currency not in CURRENCIES:
        raise ValueError(f"{currency!r} is not a currency code that is taken here")
    return 0 if currency in _NO_DECIMALS else 2


def to_minor(amount: str, currency: str) -> int:
    """`"12.5"`, `CNY` → 1250.

    Raises:
        ValueError: not an amount, or more decimals than the currency has.
    """
    found = _AMOUNT.fullmatch(amount)
    if not found:
        raise ValueError('an amount is digits with at most two decimals, as a text, such as "3500000.00"')
    whole, part = found.group(1), found.group(2) or ""
    places = decimals(currency)
    if len(part) > places and int(part) != 0:
        raise ValueError(f"amounts in {currency} have {places} decimals")
    scale: int = 10**places
    return int(whole) * scale + (int(part.ljust(places, "0")[:places]) if places else 0)


def to_amount(minor: int, currency: str) -> str:
    """1250, `CNY` → `"12.50"`; a negative sum keeps its sign."""
    places = decimals(currency)
    sign, digits = ("-" if minor < 0 else ""), str(abs(minor)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"
