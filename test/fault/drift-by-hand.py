"""What somebody does at the cloud's API behind Terraform's back, and how it is taken back.

drift-by-hand.py <endpoint> do|undo <case>
`undo` makes it as it was; what was deleted only an apply makes anew.
"""
import json
import sys

import boto3

endpoint, act, case = sys.argv[1:4]


def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name="eu-central-1")


ec2, iam, kms, logs, s3, rds = map(client, ["ec2", "iam", "kms", "logs", "s3", "rds"])
secrets = client("secretsmanager")


def group_id():
    groups = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["app"]}])
    return groups["SecurityGroups"][0]["GroupId"]


def key_id():
    for key in kms.list_keys()["Keys"]:
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["Description"] == "Data":
            return key["KeyId"]
    raise SystemExit("no key")


def open_port():
    return [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]


def everybody(action, resource):
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def object_lock(mode, days):
    rule = {"DefaultRetention": {"Mode": mode, "Days": days}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket="postern-audit", ObjectLockConfiguration=configuration)


def default_key_policy():
    owner = {"AWS": "arn:aws:iam::123456789012:root"}
    statement = {
        "Sid": "Enable IAM User Permissions",
        **{"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"},
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})


def trust(principal):
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.update_assume_role_policy(RoleName="task", PolicyDocument=document)


def versioning(status):
    configuration = {"Status": status}
    s3.put_bucket_versioning(Bucket="postern-audit", VersioningConfiguration=configuration)


def owner_tag(value):
    iam.tag_role(RoleName="task", Tags=[{"Key": "owner", "Value": value}])


def delete_rule():
    rules = ec2.describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group_id()]}]
    )["SecurityGroupRules"]
    ids = [rule["SecurityGroupRuleId"] for rule in rules if rule.get("FromPort") == 8080]
    ec2.revoke_security_group_ingress(GroupId=group_id(), SecurityGroupRuleIds=ids)


nobody = lambda: None

cases = {
    "unmanaged-bucket": (
        lambda: s3.create_bucket(
            Bucket="somebody-s-own",
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        ),
        lambda: s3.delete_bucket(Bucket="somebody-s-own"),
    ),
    "open-port": (
        lambda: ec2.authorize_security_group_ingress(GroupId=group_id(), IpPermissions=open_port()),
        lambda: ec2.revoke_security_group_ingress(GroupId=group_id(), IpPermissions=open_port()),
    ),
    "bucket-policy": (
        lambda: s3.put_bucket_policy(
            Bucket="postern-logs", Policy=everybody("s3:GetObject", "arn:aws:s3:::postern-logs/*")
        ),
        lambda: s3.delete_bucket_policy(Bucket="postern-logs"),
    ),
    "key-policy": (
        lambda: kms.put_key_policy(KeyId=key_id(), PolicyName="default", Policy=everybody("kms:*", "*")),
        lambda: kms.put_key_policy(KeyId=key_id(), PolicyName="default", Policy=default_key_policy()),
    ),
    "inline-policy": (
        lambda: iam.put_role_policy(
            RoleName="task",
            PolicyName="more",
            PolicyDocument=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
                }
            ),
        ),
        lambda: iam.delete_role_policy(RoleName="task", PolicyName="more"),
    ),
    "foreign-policy": (
        lambda: iam.attach_role_policy(
            RoleName="task", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        lambda: iam.detach_role_policy(
            RoleName="task", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
    ),
    "key-rotation": (
        lambda: kms.disable_key_rotation(KeyId=key_id()),
        lambda: kms.enable_key_rotation(KeyId=key_id()),
    ),
    "trust-policy": (
        lambda: trust({"AWS": "*"}),
        lambda: trust({"Service": "ecs-tasks.amazonaws.com"}),
    ),
    "log-retention": (
        lambda: logs.put_retention_policy(logGroupName="/postern/app", retentionInDays=7),
        lambda: logs.put_retention_policy(logGroupName="/postern/app", retentionInDays=400),
    ),
    "versioning": (
        lambda: versioning("Suspended"),
        lambda: versioning("Enabled"),
    ),
    "object-lock-days": (
        lambda: object_lock("COMPLIANCE", 1),
        lambda: object_lock("COMPLIANCE", 365),
    ),
    "object-lock-mode": (
        lambda: object_lock("GOVERNANCE", 365),
        lambda: object_lock("COMPLIANCE", 365),
    ),
    "tag": (
        lambda: owner_tag("somebody-else"),
        lambda: owner_tag("trading-platform"),
    ),
    "rule-deleted": (delete_rule, nobody),
    "public-access-deleted": (
        lambda: s3.delete_public_access_block(Bucket="postern-audit"),
        lambda: s3.put_public_access_block(
            Bucket="postern-audit",
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        ),
    ),
    "secret-deleted": (
        lambda: secrets.delete_secret(SecretId="postern/database", ForceDeleteWithoutRecovery=True),
        nobody,
    ),
}

cases[case][0 if act == "do" else 1]()
