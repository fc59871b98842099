"""The words that the reader knows: plain data. Words of one meaning stand on one line; `*` at an end allows any ending."""

from __future__ import annotations

THINGS = {
    "brightness": "brightness exposure luminosity luminance light lighting",
    "contrast": "contrast punch pop",
    "shadows": "shadows shadow",
    "highlights": "highlights highlight whites",
    "blacks": "blacks",
    "warmth": "warmth temperature",
    "tint": "tint",
    "saturation": "saturation vibrance vibrancy colour colours color colors colouring colorfulness chroma",
    "clarity": "clarity texture textures structure hdr microcontrast crunch grit",
    "sharpness": "sharpness sharpening",
    "vignette": "vignette vignetting corners edges",
    "fade": "fade matte",
    "mood": "mood drama",
    "rotation": "rotation",
}
"""Aspects by their nouns. More of each is +."""

MORE = {
    "brightness": "bright light lit luminous light-filled sunny airy pale",
    "contrast": "contrasty punchy harsh hard bold strong-contrast",
    "warmth": "warm golden toasty cosy cozy candlelit amber sunlit",
    "saturation": "saturated vivid vibrant colourful colorful rich intense lively garish gaudy",
    "clarity": "clear crunchy gritty textured grungy hdr-like",
    "sharpness": "sharp crisp oversharpened over-sharpened oversharp",
    "vignette": "vignetted",
    "fade": "faded retro vintage nostalgic washed-out milky",
    "mood": "moody sombre somber gloomy brooding melancholic ominous dramatic sinister dark-moody",
}
"""Words for what a picture is like when it has much of an aspect."""

LITTLE = {
    "brightness": "dark dim murky underexposed under-exposed underlit",
    "contrast": "flat low-contrast boring",
    "warmth": "cool cold chilly icy wintry frosty",
    "saturation": "dull muted desaturated monochrome monochromatic greyscale grayscale b&w bw subdued pastel drab lifeless "
    "colourless colorless washed",
    "clarity": "dreamy dreamlike smooth hazy muddy misty foggy haze fog ethereal glowy",
    "sharpness": "soft blurry unsharp fuzzy",
    "mood": "cheerful happy merry",
    "blacks": "black",
}
"""Words for what it is like when it has little."""

OVEREXPOSED = "overexposed over-exposed blown burnt burned burn glaring"
"""Words that complain of too much light by themselves, without `too`."""

SOUR = """flat dull lifeless drab hazy muddy misty foggy haze fog murky harsh blurry fuzzy unsharp garish gaudy crunchy
oversharpened over-sharpened oversharp underexposed under-exposed underlit overexposed over-exposed blown burnt burned burn
glaring washed washed-out milky boring"""
"""Faults by themselves: who says them without `more` complains of them."""
COMPLAINING = """overexposed over-exposed underexposed under-exposed blown burnt burned burn glaring oversharpened
over-sharpened oversharp hazy haze fog lifeless blurry underlit"""
"""Faults even after `make it`: nobody wishes for them."""

DO = {
    "brightness": "brighten lighten",
    "saturation": "saturate colourise",
    "sharpness": "sharpen",
    "warmth": "warm",
    "fade": "fade",
    "clarity": "dehaze",
}
UNDO = {
    "brightness": "darken dim",
    "saturation": "desaturate mute",
    "warmth": "cool chill",
    "contrast": "flatten",
    "mood": "cheer",
}
"""Verbs that say what to do, and those of the opposite."""

UP = (
    "more up raise raised raising increase increased increasing lift lifted boost boosted push pushed crank higher"
    " stronger add added adding bump up plus extra enhance open heavier strengthen amplify deepen pump double twice"
    " greater richer intensify lots shift pronounced towards toward give"
)
DOWN = (
    "less down lower lowered lowering reduce reduced reducing decrease decreased pull pulled cut drop dropped weaker"
    " dial dialed back tone toned fewer softer soften subdue minus calm tame recover save rescue restrain lessen weaken"
    " halve out smaller fall lose losing les"
)
STRONG = "strong heavy high deep intense big much pronounced"
WEAK = "weak low little faint small"

REMOVE = "remove rid erase delete eliminate kill fix correct neutralise neutralize take clean away"
ACT = "change changes changing replace swap put convert turn"
"""Takes away what is named, or acts on it: of a cast that is a wish, of a lamp post not."""

TOO = "too overly excessively over way-too"
LACK = "enough lacks lack lacking missing insufficient"
WANT = "needs need want wants should could would like make let give please wish prefer use bit"
NOT = "not no don't dont never isn't isnt aren't arent doesn't without shouldn't wasn't nor cannot can't"
PLACES = "shadows highlights blacks vignette"
GENERAL = "light lighting colour colours color colors temperature tint exposure brightness"
OF_GENERAL = "warmth brightness saturation tint"
"""General words (`colder light`) that an adjective of these aspects makes its own."""

KEEP = "keep leave alone preserve maintain retain unchanged untouched"
STATE = "is are looks look looking feels feel seems seem it's its was were appears got has have there's there gets made makes"

SLIGHTLY = (
    "slightly bit little touch tad hair notch smidge somewhat subtle subtly tiny gently gentle marginally hint dash"
    " pinch fraction mildly faintly trifle shade half"
)
MUCH = (
    "much lot very way really considerably far strongly heavily extremely massively significantly twice double hugely"
    " greatly drastically totally ton tons deal quite lots"
)

PARTS = {
    "sky": "sky skies clouds cloud heaven heavens",
    "skin": "skin face faces cheek cheeks complexion forehead skintone skintones skin-tone skin-tones neck",
    "foliage": "grass lawn leaves leaf foliage trees tree plants plant greenery forest vegetation meadow bushes hedge moss",
    "red": "reds",
    "orange": "oranges",
    "yellow": "yellows",
    "green": "greens",
    "aqua": "aquas cyans teals turquoises",
    "blue": "blues",
    "purple": "purples violets",
    "magenta": "magentas pinks",
}

COLOURS = {
    "red": "red reddish ruddy",
    "orange": "orange orangey",
    "yellow": "yellow yellowish sallow",
    "green": "green greenish neon",
    "cyan": "cyan teal aqua turquoise",
    "blue": "blue bluish blueish",
    "purple": "purple violet purplish",
    "magenta": "magenta pink pinkish magentaish",
}
COMPARED = {
    "lighter": "brightness",
    "redder": "red",
    "yellower": "yellow",
    "greener": "green",
    "bluer": "blue",
    "pinker": "magenta",
}

CASTS = {"yellow": ("warmth", 1), "orange": ("warmth", 1), "blue": ("warmth", -1), "green": ("tint", -1),
         "magenta": ("tint", 1),
         "purple": ("tint", 1)}  # fmt: skip
"""A colour all over the picture, as an aspect of its light."""

BANDS = {"red": "red", "cyan": "aqua"}
"""Colours that no light has: all over the picture they are bands of hue."""

DEEP = "deep deeper deepen crush crushed crushing sink rich richer"
"""Of shadows and blacks: darker."""

CAST = "cast tinge hue veil"

PHRASES = {
    "black and white": "monochrome",
    "black & white": "monochrome",
    "white balance": "temperature",
    "colour temperature": "temperature",
    "color temperature": "temperature",
    "golden hour": "golden",
    "late evening": "golden",
    "evening light": "golden",
    "local contrast": "clarity",
    "black point": "blacks",
    "washed out": "washed-out",
    "get rid of": "remove",
    "a lot of": "much",
    "a lot": "much",
    "a little": "slightly",
    "a bit": "slightly",
    "anti clockwise": "anticlockwise",
    "counter clockwise": "anticlockwise",
    "over exposed": "overexposed",
    "under exposed": "underexposed",
    "over sharpened": "oversharpened",
    "low contrast": "flat",
    "as it is": "unchanged",
    "as is": "unchanged",
}
"""Words that belong together, and the one that they stand for."""

TONES = "areas parts tones regions zones spots bits ones"
BRIGHT_ONES = {"bright": "highlights", "light": "highlights", "dark": "shadows"}
"""`bright areas` are the highlights."""

CLOCKWISE = "clockwise right"
ANTICLOCKWISE = "anticlockwise counterclockwise left"
TURN = "rotate tilt rotated tilted"

PLAIN = (
    "a an the this that these those it its me my i we you your he she his her him they them and or of to in on at for"
    " with by from as so be been being am do does did please just only can could would should will may might must let"
    " lets make made making than what which who how where when some any every each all whole entire everything thing"
    " something anything overall image picture photo photograph shot frame print general rest style effect finish"
    " atmosphere taste think sort kind version there here if then now also again still even but yet while because since"
    " about into under quite rather almost nearly point percent stop stops one two three degrees degree step steps value"
    " values level levels slider set go going get getting thanks thank nice better best good great time i'd i'm old film"
    " subject scene back bring area areas part parts much look help well mostly maybe perhaps really toward towards wish"
)
"""Words that carry no wish of their own."""
