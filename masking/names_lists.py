"""Words that tell a name: states and their people, forms of companies and of address, parts of postal addresses."""

from __future__ import annotations

import re

UPPER = "".join(chr(code) for code in range(0x41, 0x530) if chr(code).isupper())
"""Capital letters of the Latin, Greek and Cyrillic scripts, for a character class."""

COUNTRIES = """Afghanistan|Albania
|Algeria|Andorra|Angola|Argentina|Armenia|Australia|Austria|Azerbaijan|Bahamas|Bahrain
|Bangladesh|Barbados|Belarus|Belgium|Belize|Benin|Bhutan|Bolivia|Bosnia and Herzegovina|Bosnia|Botswana
|Brazil|Brunei|Bulgaria|Burkina Faso|Burundi|Cambodia|Cameroon|Canada|Cape Verde|Chile|China|Colombia
|Costa Rica|Croatia|Cuba|Cyprus|Czech Republic|Czechia|Denmark|Djibouti|Dominican Republic|Ecuador|Egypt
|El Salvador|Eritrea|Estonia|Eswatini|Ethiopia|Fiji|Finland|France|Gabon|Gambia|Germany|Ghana|Greece
|Greenland|Grenada|Guatemala|Guinea|Guyana|Haiti|Honduras|Hong Kong|Hungary|Iceland|India|Indonesia|Iran
|Iraq|Ireland|Israel|Italy|Ivory Coast|Jamaica|Japan|Jordan|Kazakhstan|Kenya|Kiribati|Kosovo|Kuwait
|Kyrgyzstan|Laos|Latvia|Lebanon|Lesotho|Liberia|Libya|Liechtenstein|Lithuania|Luxembourg|Macau|Macedonia
|Madagascar|Malawi|Malaysia|Maldives|Mali|Malta|Mauritania|Mauritius|Mexico|Moldova|Monaco|Mongolia
|Montenegro|Morocco|Mozambique|Myanmar|Namibia|Nauru|Nepal|Netherlands|New Zealand|Nicaragua|Niger|Nigeria
|North Korea|Norway|Oman|Pakistan|Palau|Palestine|Panama|Papua New Guinea|Paraguay|Peru|Philippines|Poland
|Portugal|Puerto Rico|Qatar|Romania|Russia|Russian Federation|Rwanda|Samoa|San Marino|Saudi Arabia|Scotland
|Senegal|Serbia|Seychelles|Sierra Leone|Singapore|Slovakia|Slovenia|Somalia|South Africa|South Korea
|South Sudan|Spain|Sri Lanka|Sudan|Suriname|Swaziland|Sweden|Switzerland|Syria|Taiwan|Tajikistan|Tanzania
|Thailand|Tibet|Togo|Tonga|Trinidad and Tobago|Tunisia|Turkey|Türkiye|Turkmenistan|Tuvalu|Uganda|Ukraine
|United Arab Emirates|United Kingdom|United States of America|United States|Uruguay|Uzbekistan|Vanuatu
|Venezuela|Vietnam|Wales|Yemen|Zambia|Zimbabwe|Great Britain|Northern Ireland|England|Faroe Islands
|U\\.S\\.A\\.|U\\.K\\."""

PEOPLES = """Afghan|Albanian|Algerian|American|Angolan|Argentine|Argentinian|Armenian|Australian|Austrian|Azerbaijani
|Bahraini|Bangladeshi|Barbadian|Belarusian|Belgian|Bolivian|Bosnian|Brazilian|British|Bulgarian|Burmese
|Cambodian|Cameroonian|Canadian|Chilean|Chinese|Colombian|Congolese|Costa Rican|Croatian|Cuban|Cypriot|Czech
|Danish|Dane|Dominican|Dutch|Ecuadorean|Ecuadorian|Egyptian|Emirati|Estonian|Ethiopian|Fijian|Filipino
|Filipina|Finnish|Finn|French|Gambian|Georgian|German|Ghanaian|Greek|Greenlander|Greenlandic|Guatemalan
|Guyanese|Haitian|Honduran|Hungarian|Icelander|Icelandic|Indian|Indonesian|Iranian|Iraqi|Irish|Israeli
|Italian|Jamaican|Japanese|Jordanian|Kazakh|Kenyan|Korean|Kosovar|Kuwaiti|Kyrgyz|Laotian|Latvian|Lebanese
|Liberian|Libyan|Lithuanian|Luxembourgish|Macedonian|Malagasy|Malawian|Malaysian|Maltese|Mauritanian
|Mauritian|Mexican|Moldovan|Mongolian|Montenegrin|Moroccan|Mozambican|Namibian|Nepalese|Nepali|New Zealander
|Nicaraguan|Nigerian|Norwegian|Omani|Pakistani|Palestinian|Panamanian|Paraguayan|Peruvian|Portuguese|Qatari
|Romanian|Russian|Rwandan|Salvadoran|Samoan|Saudi|Scottish|Senegalese|Serbian|Singaporean|Slovak|Slovakian
|Slovene|Slovenian|Somali|South African|Spaniard|Spanish|Sri Lankan|Sudanese|Surinamese|Surinamer|Swazi
|Swede|Swedish|Swiss|Syrian|Taiwanese|Tajik|Tanzanian|Thai|Tibetan|Togolese|Tongan|Trinidadian|Tunisian
|Turkish|Turk|Turkmen|Ugandan|Ukrainian|Uruguayan|Uzbek|Venezuelan|Vietnamese|Welsh|Yemeni|Zambian
|Zimbabwean|Bahamian|Belizean|Bhutanese|Botswanan|Bruneian|Burundian|Eritrean|Gabonese|Guinean|Catholic|Protestant|Muslim|Jewish|Hindu|Buddhist|Sikh"""

HONORIFICS = (
    r"Mr|Mrs|Ms|Mx|Miss|Mister|Madam|Dr|Prof|Professor|Sir|Dame|Lady|Rev"
    r"|Herr|Frau|Monsieur|Madame|Mme|Señora?|Sra?"
)

COMPANY_ENDINGS = r"""Inc
|Incorporated|LLC|L\.L\.C|LLP|Ltd|Limited|Corp|Corporation|Company|Co|GmbH|AG|SE|KG|PLC|Plc|S\.A|SA|SpA
|Srl|S\.r\.l|BV|B\.V|NV|N\.V|Oyj?|AB|ASA?|A/S|ApS|Sarl|Pty|Group|Holdings?|Technologies|Technology|Solutions
|Systems|Software|Research|Services?|Investments?|Partners|Capital|Labs?|Laboratory|Laboratories|Industries
|Ventures|Analytics|Networks?|Media|Insurance|Consulting|Consultants|Associates|University|Institute
|Foundation|Association|Bank|Financial|Securities|Logistics|Airlines|Airways|Pharmaceuticals?|Pharma|Energy
|Motors|Enterprises|International|Hospital|Clinic|Brothers|& Sons|& Co"""

STREETS = r"""Street|St|Str|Avenue|Ave|Road|Rd|Lane|Ln|Boulevard|Blvd|Drive|Dr|Way|Square|Squares|Sq|Court|Ct|Place|Pl
|Terrace|Highway|Hwy|Parkway|Pkwy|Circle|Crescent|Close|Row|Alley|Trail"""

STREET_HEADS = r"""rue
|avenue|boulevard|place|via|viale|piazza|corso|calle|avenida|paseo|plaza|rua|praça|travessa|ul\.|ulica
|al\.|os\.|pl\.|rruga|strada"""

STREET_TAILS = (
    r"(?:strasse|straße|str\.|gatan?|gade|vej|vegen|veien|vägen|väg|tie|katu|kuja|polku|laan|straat|weg|platz|gasse"
    r"|allee|utca|út)"
)


PRODUCTS = frozenset(
    re.findall(
        r"\w+",
        """kubernetes helm kafka docker prometheus grafana redis cassandra jenkins java spring terraform vault
        consul argo istio jaeger elastic opaque secret pod node ready vary loki tempo mimir thanos cilium calico
        harbor rancher traefik envoy linkerd falco flux kustomize ansible puppet chef salt nomad mongo postgres
        mysql oracle django flask ruby rails python perl swift rust elixir kotlin scala maven gradle debian
        ubuntu fedora alpine claude gemini copilot deployment service ingress namespace cluster release""",
    )
)
"""Names of programs and of things of theirs, in small letters: a model takes them for people."""


def alternatives(words: str) -> str:
    """A list of words, over lines or not, as one pattern without breaks; longer ones first."""
    parts = [part.strip() for part in words.replace("\n", "").split("|")]
    return "|".join(sorted(parts, key=len, reverse=True))
