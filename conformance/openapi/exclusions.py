"""All that the run does not ask, or does not hold against an answer, each with its reason.

Operations are named by their ids in the document, `*` is every one of the identity, and `tag:…` every one of a tag.
"""

from collections import namedtuple

Exclusion = namedtuple("Exclusion", "who operations checks reason")

EVERYONE = ("anonymous", "user", "administrator", "App, acting user", "App, bot", "limits", "administrator, of providers",
            "administrator, at the end", "session that ends")
SIGNED_IN = ("user", "administrator", "App, acting user", "App, bot")

# The whole operation is left out for these identities.
OPERATIONS = [
    Exclusion(SIGNED_IN, ["logout"], None,
              "It would end the session that the run uses; `session that ends` runs it by itself."),
    Exclusion(("administrator",),
              ["installApp", "uninstallApp", "enableApp", "disableApp", "setActive", "setRoles"], None,
              "They would take away the App, the tokens or the people that other runs need; "
              "`administrator, at the end` runs them when nothing else does."),
    Exclusion(("administrator",), ["setProvider", "getProvider", "removeProvider", "probeProvider", "endOtherConnection"], None,
              "They would take away the records of others, and make connections ones that the App does not store itself; "
              "`administrator, of providers` runs them when nothing else does."),
]

# The operation is asked, and these checks are not made of its answers.
CHECKS = [
    Exclusion(EVERYONE, ["tag:oauth2", "tag:framework", "tag:tessera", "tag:console", "home"], ["unsupported_method"],
              "A 405 has no `Allow` there: the original's wire has none, and Tessera's own routes follow it. "
              "The check `refused_method` asks for the rest: 405 and no body."),
    Exclusion(EVERYONE, ["confirmConnect", "pressAccounts", "chooseAccount", "signOut"], ["positive_data_acceptance"],
              "The form's token can only come from the page, and no schema can say so: any other one is 400."),
    Exclusion(EVERYONE, ["updateAppListing"], ["positive_data_acceptance"],
              "What makes a manifest good is more than a schema can say: icons that stay in their folder, permissions "
              "that need others, whole URLs."),
    Exclusion(EVERYONE, ["setProvider"], ["positive_data_acceptance"],
              "What makes a descriptor good is more than a schema can say: TOML, addresses, names of the catalogue."),
    Exclusion(EVERYONE, ["joinChannel"], ["positive_data_acceptance"],
              "Who is not in the channel's team is 400, as on the original platform."),
    Exclusion(EVERYONE, ["createPost"], ["positive_data_acceptance"],
              "`root_id` must name a post that is there: another id is 400, as on the original platform."),
    Exclusion(EVERYONE, ["installApp"], ["not_a_server_error"],
              "A way to run that the App has not, or an App that does not answer, is 500 with the reason on the "
              "original's wire. The check `nothing_inner` refuses every 500 that is the service's own."),
    Exclusion(EVERYONE, ["websocket"], ["positive_data_acceptance"],
              "An upgrade needs headers that OpenAPI does not let a document ask for; without them it is 400."),
    Exclusion(EVERYONE, ["channelMembers", "channelPosts"], ["negative_data_rejection"],
              "What is no number in `page`, `per_page` or `since` counts as missing, as on the original platform."),
    Exclusion(EVERYONE, ["getOAuth2User"], ["content_type_conformance", "response_schema_conformance"],
              "What was never stored reads as 200 without a body and so without a type: the original's wire. "
              "The check `record_or_nothing` asks for one or the other."),
]
