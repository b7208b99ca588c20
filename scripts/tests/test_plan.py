"""The plans that stop a deployment, and an environment's settings."""

import json
import unittest
from typing import Any

from deployment import Refusal, environment, plan

POOL = "module.user_pool.aws_cognito_user_pool.this"


def shown(address: str, *actions: str) -> dict[str, Any]:
    return {"address": address, "type": address.rsplit(".", 2)[-2], "mode": "managed", "change": {"actions": list(actions)}}


def planned(*changes: dict[str, Any], **more: Any) -> plan.Plan:
    def show() -> str:
        raise AssertionError("nobody asks for the text")

    return plan.read("plan", show, {"resource_changes": list(changes), **more})


def statement(actions: str | list[str], resources: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def policy(function: str, *states: list[dict[str, Any]] | None) -> dict[str, Any]:
    """A change of a function's role policy, from some statements to others."""
    before, after = ({"policy": json.dumps({"Statement": state})} if state is not None else None for state in states)
    actions = ("create",) if before is None else ("delete",) if after is None else ("update",)
    change = shown(f'module.function["{function}"].aws_iam_role_policy.this', *actions)
    change["change"] |= {"before": before, "after": after}
    return change


class Plans(unittest.TestCase):
    def test_what_keeps_something_is_not_destroyed_nor_replaced(self) -> None:
        kept = [
            POOL,
            "module.user_pool.aws_cognito_user_pool_client.operations",
            'module.tables.aws_dynamodb_table.this["guests"]',
            "module.secrets.aws_secretsmanager_secret.this",
            "aws_kms_key.this",
            "aws_s3_bucket.artifacts",
            "module.edge[0].aws_cloudfront_distribution.this",
        ]
        for address in kept:
            for actions in (("delete",), ("delete", "create"), ("create", "delete")):
                with self.subTest(address, actions=actions):
                    losses = planned(shown(address, *actions)).losses()
                    self.assertEqual([loss.address for loss in losses], [address])

    def test_it_may_be_made_changed_and_left(self) -> None:
        for action in ("create", "update", "no-op", "read"):
            self.assertEqual(planned(shown(POOL, action)).losses(), [])

    def test_a_pool_is_adopted_or_the_plan_loses_it(self) -> None:
        def imported(*actions: str) -> dict[str, Any]:
            change = shown(POOL, *actions)
            change["change"]["importing"] = {"id": "eu-west-1_Theirs"}
            return change

        for action in ("update", "no-op"):
            adopting = planned(imported(action))
            self.assertEqual((adopting.summary(), adopting.losses(), adopting.empty), ("1 to adopt", [], False))
            self.assertTrue(adopting.changes[0].takes_a_person)
        lost = planned(imported("delete", "create"))
        self.assertEqual([loss.address for loss in lost.losses()], [POOL])

    def test_passkeys_of_another_name_are_lost(self) -> None:
        def pool(*names: str) -> dict[str, Any]:
            return {"web_authn_configuration": [{"relying_party_id": name} for name in names]}

        for before, after, lost in (
            (pool("a.example.com"), pool("b.example.com"), True),
            (pool("a.example.com"), pool(), True),
            (pool("a.example.com"), pool("a.example.com"), False),
            (pool(), pool("a.example.com"), False),
            (None, pool("a.example.com"), False),
        ):
            with self.subTest(before=before, after=after):
                change = shown(POOL, "create" if before is None else "update")
                change["change"] |= {"before": before, "after": after}
                self.assertEqual(bool(planned(change).losses()), lost)

    def test_what_can_be_made_again_may_go(self) -> None:
        again = [
            'module.function["verify-otp"].aws_lambda_function.this',
            'module.secrets.aws_secretsmanager_secret_version.origin["a"]',
        ]
        for address in again:
            self.assertEqual(planned(shown(address, "delete", "create")).losses(), [])

    def test_whoever_means_it_names_it_exactly(self) -> None:
        plan_of_two = planned(shown(POOL, "delete"), shown("aws_kms_key.this", "delete"))
        left = plan_of_two.losses(frozenset({POOL}))
        self.assertEqual([loss.address for loss in left], ["aws_kms_key.this"])

    def test_a_plan_is_summed_up(self) -> None:
        self.assertEqual(planned(shown(POOL, "no-op")).summary(), "nothing to change")
        self.assertTrue(planned(shown(POOL, "no-op")).empty)
        self.assertFalse(
            planned(output_changes={"api_id": {"actions": ["create"]}}).empty, "what the next phase reads must be written down"
        )
        both = planned(shown(POOL, "update"), shown("aws_kms_key.this", "create"), shown("aws_kms_alias.this", "delete", "create"))
        self.assertEqual(both.summary(), "1 to make, 1 to change, 1 to replace")

    def test_what_a_workflow_may_not_do_is_known_beforehand(self) -> None:
        refused = [
            shown(POOL, "create"),
            shown("aws_kms_key.this", "delete", "create"),
            shown("module.mail[0].aws_ses_domain_identity.this", "update"),
            shown("module.edge[0].aws_acm_certificate.this[0]", "create"),
            shown("module.deploy_role[0].aws_iam_policy.service", "update"),
            shown('module.secrets.aws_secretsmanager_secret_version.origin["a"]', "delete", "create"),
            shown("module.edge[0].aws_cloudwatch_log_group.web_acl", "delete"),
            shown("module.user_pool.aws_wafv2_web_acl_association.this[0]", "create"),
        ]
        done = [
            shown('module.function["verify-otp"].aws_cloudwatch_log_group.this', "delete"),
            shown(POOL, "update"),
            shown("module.user_pool.aws_cognito_user_pool_client.browser[0]", "create"),
            shown("module.edge[0].aws_cloudfront_distribution.this", "update"),
            shown('module.function["verify-otp"].aws_lambda_function.this', "create"),
            shown('module.function["verify-otp"].aws_iam_role.this', "create"),
        ]
        self.assertEqual(
            [change.takes_a_person for change in planned(*refused, *done).changes], [True] * len(refused) + [False] * len(done)
        )

    def test_a_change_that_a_workflow_may_not_make_is_known_beforehand(self) -> None:
        before: dict[str, Any] = {"tags": {}, "tags_all": {"application": "latchkey"}}
        role = {**before, "assume_role_policy": "{}", "max_session_duration": 3600, "permissions_boundary": "a", "description": "a"}
        retagged = {"tags_all": {"application": "latchkey", "team": "ours"}}
        audit, guests = (f'module.tables.aws_dynamodb_table.this["{name}"]' for name in ("audit", "guests"))
        key, verify = "aws_kms_key.this", 'module.function["verify-otp"]'
        for address, before_it, changes, refused in (
            (key, before, {"policy": "{}"}, True),
            (key, before, {"enable_key_rotation": False}, True),
            (key, before, retagged, False),
            ("aws_kms_alias.this", {}, {"target_key_id": "b"}, True),
            ("module.agentcore[0].aws_cognito_user_pool_domain.this", {}, {"managed_login_version": 1}, True),
            ("module.agentcore[0].aws_cloudformation_stack.identity", before, {"parameters": {}}, True),
            ("module.agentcore[0].aws_cloudformation_stack.tools", before, {"parameters": {}}, False),
            (f"{verify}.aws_iam_role.this", role, {"assume_role_policy": "{ }"}, True),
            (f"{verify}.aws_iam_role.this", role, {"max_session_duration": 7200}, True),
            (f"{verify}.aws_iam_role.this", role, {"permissions_boundary": None}, True),
            (f"{verify}.aws_iam_role.this", role, {"description": "b"}, False),
            (audit, before, {"point_in_time_recovery": []}, True),
            (audit, before, retagged, False),
            (guests, before, {"point_in_time_recovery": []}, False),
            (f"{verify}.aws_lambda_function.this", before, {"tags_all": {"app": "latchkey"}}, True),
            (f"{verify}.aws_lambda_function.this", before, {"tags_all": {"application": "another"}}, False),
        ):
            with self.subTest(address, changes=changes):
                change = shown(address, "update")
                change["change"] |= {"before": before_it, "after": {**before_it, **changes}, "after_unknown": {}}
                self.assertEqual(planned(change).changes[0].takes_a_person, refused)

    def test_a_role_that_loses_a_grant_is_named_with_what_it_loses(self) -> None:
        two = statement(["dynamodb:GetItem", "dynamodb:PutItem"], ["table/guests", "table/limits"])
        condition = {"StringEquals": {"ses:FromAddress": ["a@example.com"]}}
        for after, lost in (
            ([two], ()),
            ([statement("dynamodb:PutItem", two["Resource"]), statement("dynamodb:GetItem", two["Resource"])], ()),
            ([statement("dynamodb:*", "*")], ()),
            ([two, statement("ses:SendEmail", "*")], ()),
            ([statement("dynamodb:GetItem", two["Resource"])], ("dynamodb:PutItem",)),
            ([statement(two["Action"], "table/guests")], ("dynamodb:GetItem", "dynamodb:PutItem")),
            ([{**two, "Condition": condition}], ("dynamodb:GetItem", "dynamodb:PutItem")),
        ):
            with self.subTest(after=after):
                self.assertEqual(planned(policy("verify-otp", [two], after)).narrowed, {"verify-otp": lost} if lost else {})
        self.assertEqual(planned(policy("verify-otp", [{**two, "Condition": condition}], [two])).narrowed, {}, "it may do more")

    def test_a_new_role_and_the_role_of_a_function_that_goes_lose_no_grant(self) -> None:
        one = [statement("dynamodb:GetItem", "table/guests")]
        for before, after in ((None, one), (one, None)):
            self.assertEqual(planned(policy("verify-otp", before, after)).narrowed, {})
        other = policy("verify-otp", one, [])
        other["address"] = "module.events[0].aws_iam_role_policy.pipe"
        self.assertEqual(planned(other).narrowed, {}, "no version of a function has this role")

    def test_a_policy_that_is_known_only_after_the_apply_is_named(self) -> None:
        unknown = policy("verify-otp", [statement("dynamodb:GetItem", "table/guests")], [])
        unknown["change"] |= {"after": {"name": "grants"}, "after_unknown": {"policy": True}}
        self.assertEqual((planned(unknown).narrowed, planned(unknown).unjudged), ({}, ("verify-otp",)))

    def test_a_plan_names_the_functions_that_it_changes(self) -> None:
        made = planned(shown('module.function["verify-otp"].aws_lambda_function.this', "update"), policy("get-profile", [], []))
        self.assertEqual([made.changes_function(name) for name in ("verify-otp", "get-profile")], [True, False])

    def test_another_plan_than_the_one_that_was_shown_is_told_apart(self) -> None:
        now = plan.read("plan", lambda: "  # a changes\n  # b goes\n", {})
        self.assertEqual(now.difference("  # a changes\n  # b goes\n"), "")
        self.assertIn("+  # b goes", now.difference("  # a changes\n"))

    def test_what_the_configuration_itself_complains_of_is_said(self) -> None:
        check = {"address": {"kind": "check"}, "instances": [{"problems": [{"message": "fifty mails a day"}]}]}
        self.assertEqual(planned(checks=[check]).complaints, ("fifty mails a day",))


class Environments(unittest.TestCase):
    def test_prod_is_protected_and_dev_is_not(self) -> None:
        self.assertTrue(environment.load("prod").protected)
        self.assertFalse(environment.load("dev").protected)

    def test_an_unknown_one_is_refused_with_the_known(self) -> None:
        with self.assertRaisesRegex(Refusal, "dev, prod"):
            environment.load("nowhere")

    def test_a_setting_is_read_without_its_comment(self) -> None:
        self.assertEqual(environment.scalar('region   = "eu-west-1" # Ireland\n', "region"), "eu-west-1")
        self.assertEqual(environment.scalar("protected=true\n", "protected"), "true")
        self.assertIsNone(environment.scalar('other_region = "eu-west-1"\n', "region"))


if __name__ == "__main__":
    unittest.main()
