"""Exercises the simulator of Google through Google's real client.

Usage: judge.py BASE_URL ACCESS_TOKEN KEY_FILE, the last being a service account's. Needs google-api-python-client==2.202.0 and google-auth. The
client reads its bundled discovery document and refuses what that doesn't know, so every path,
parameter and body used here is one of Google's. Exits 1 with the first thing that is wrong.
"""

import json
import sys

from google.auth.exceptions import RefreshError
from google.oauth2 import service_account
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError


def refused(request, status, reason):
    try:
        request.execute()
    except HttpError as error:
        found = (error.resp.status, error.error_details[0]["reason"] if error.error_details else None)
        assert found == (status, reason), f"{found} instead of {(status, reason)}: {error}"
        return error
    raise AssertionError(f"{request.uri} was not refused with {status}")


def pages(resource, array, **query):
    rows, request, count = [], resource.list(**query), 0
    while request is not None:
        answer = request.execute()
        rows += answer.get(array, [])
        count += 1
        request = resource.list_next(request, answer)
    return rows, count


def users(directory):
    resource = directory.users()
    rows, count = pages(resource, "users", customer="my_customer", maxResults=500)
    assert (len(rows), count) == (620, 2), (len(rows), count)
    emails = [row["primaryEmail"] for row in rows]
    assert emails == sorted(emails) and len(set(row["id"] for row in rows)) == 620
    slim, _ = pages(resource, "users", customer="my_customer", maxResults=500, fields="nextPageToken,users(id,name/givenName)")
    assert len(slim) == 620 and set(slim[0]) == {"id", "name"}
    body = {"primaryEmail": "judge@acme.test", "name": {"givenName": "Jud", "familyName": "Ge"}, "password": "judge judge"}
    made = resource.insert(body=body).execute()
    key = made["id"]
    assert made["kind"] == "admin#directory#user" and "password" not in made
    refused(resource.insert(body=body), 409, "duplicate")
    refused(resource.insert(body={"primaryEmail": "x@acme.test"}), 400, "required")
    refused(resource.get(userKey="nobody@acme.test"), 404, "notFound")
    refused(resource.get(userKey="admin@other.test"), 403, "forbidden")
    refused(resource.list(customer="my_customer", pageToken="made-up"), 400, "invalid")
    refused(resource.list(customer="my_customer", query="nonsense=1"), 400, "invalid")
    refused(resource.list(customer="my_customer", fields="users(nope)"), 400, "invalidParameter")
    assert resource.update(userKey=key, body={"suspended": True}).execute()["suspended"] is True
    assert resource.patch(userKey=key, body={"suspended": False}).execute()["suspended"] is False
    renamed = resource.update(userKey=key, body={"primaryEmail": "judged@acme.test"}).execute()
    assert renamed["aliases"] == ["judge@acme.test"] and renamed["id"] == key
    assert resource.get(userKey="judge@acme.test").execute()["id"] == key
    assert not resource.makeAdmin(userKey=key, body={"status": True}).execute()
    assert resource.get(userKey=key).execute()["isAdmin"] is True
    assert not resource.delete(userKey=key).execute()
    refused(resource.get(userKey=key), 412, "conditionNotMet")
    assert [row["id"] for row in pages(resource, "users", customer="my_customer", showDeleted="true")[0]] == [key]
    assert not resource.undelete(userKey=key, body={"orgUnitPath": "/"}).execute()
    assert resource.get(userKey=key, projection="full").execute()["primaryEmail"] == "judged@acme.test"
    return key


def groups(directory, key):
    resource = directory.groups()
    rows, count = pages(resource, "groups", customer="my_customer", maxResults=7)
    assert (len(rows), count) == (30, 5), (len(rows), count)
    group = resource.insert(body={"email": "judges@acme.test", "name": "Judges"}).execute()
    refused(resource.insert(body={"email": "judges@acme.test"}), 409, "duplicate")
    assert group["directMembersCount"] == "0"
    assert resource.update(groupKey=group["id"], body={"description": "d"}).execute()["name"] == "Judges"
    assert resource.patch(groupKey=group["id"], body={"name": "Judging"}).execute()["description"] == "d"
    members = directory.members()
    assert "members" not in members.list(groupKey=group["id"]).execute()
    member = members.insert(groupKey=group["id"], body={"email": "judge@acme.test", "role": "MEMBER"}).execute()
    assert member["id"] == key and member["email"] == "judged@acme.test" and member["status"] == "ACTIVE"
    refused(members.insert(groupKey=group["id"], body={"email": "judged@acme.test"}), 409, "duplicate")
    refused(members.insert(groupKey=group["id"], body={"email": "judges@acme.test"}), 412, "conditionNotMet")
    assert members.update(groupKey=group["id"], memberKey=key, body={"role": "OWNER"}).execute()["role"] == "OWNER"
    assert members.patch(groupKey=group["id"], memberKey=key, body={"role": "MANAGER"}).execute()["role"] == "MANAGER"
    assert members.get(groupKey=group["id"], memberKey="judge@acme.test").execute()["role"] == "MANAGER"
    assert members.hasMember(groupKey=group["id"], memberKey=key).execute() == {"isMember": True}
    refused(members.hasMember(groupKey=group["id"], memberKey="x@partner.example"), 400, "invalid")
    assert [row["id"] for row in pages(resource, "groups", userKey=key)[0]] == [group["id"]]
    assert len(pages(members, "members", groupKey=group["id"], roles="OWNER")[0]) == 0
    big = max(rows, key=lambda row: int(row["directMembersCount"]))
    found, count = pages(members, "members", groupKey=big["id"])
    assert len(found) == int(big["directMembersCount"]) > 200 and count == -(-len(found) // 200)
    assert not members.delete(groupKey=group["id"], memberKey=key).execute()
    refused(members.get(groupKey=group["id"], memberKey=key), 404, "notFound")
    refused(members.list(groupKey="partners@other.test"), 403, "forbidden")
    assert not resource.delete(groupKey=group["id"]).execute()
    refused(resource.get(groupKey=group["id"]), 404, "notFound")


def rest(directory, base):
    customer = directory.customers().get(customerKey="my_customer").execute()
    assert customer["customerDomain"] == "acme.test"
    domains = directory.domains().list(customer=customer["id"]).execute()["domains"]
    assert [one["domainName"] for one in domains if one["isPrimary"]] == ["acme.test"] and len(domains) == 3
    wrong = build("admin", "directory_v1", credentials=Credentials("wrong"), client_options={"api_endpoint": base}, static_discovery=True)
    try:
        wrong.users().get(userKey="admin@acme.test").execute()
        raise AssertionError("a wrong token was accepted")
    except HttpError as error:
        assert error.resp.status == 401, error
    except Exception as error:  # google-auth tries to refresh after a 401, and can't
        assert "refresh" in str(error).lower(), error


def by_key(base, key_file):
    with open(key_file) as file:
        key = json.load(file)
    key["token_uri"] = base + "/token"
    scopes = ["https://www.googleapis.com/auth/admin.directory.user.readonly"]
    acting = service_account.Credentials.from_service_account_info(key, scopes=scopes, subject="admin@acme.test")
    directory = build("admin", "directory_v1", credentials=acting, client_options={"api_endpoint": base}, static_discovery=True)
    assert directory.users().get(userKey="admin@acme.test").execute()["isAdmin"] is True
    refused(directory.groups().list(customer="my_customer"), 403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    for other, error in (
        (acting.with_subject("nobody@acme.test"), "invalid_grant"),
        (acting.with_subject("admin@other.test"), "unauthorized_client"),
        (acting.with_scopes(["https://www.googleapis.com/auth/admin.directory.user"]), "unauthorized_client"),
    ):
        directory = build("admin", "directory_v1", credentials=other, client_options={"api_endpoint": base}, static_discovery=True)
        try:
            directory.users().get(userKey="admin@acme.test").execute()
            raise AssertionError(f"{error} was expected")
        except RefreshError as refusal:
            assert error in str(refusal), refusal


def main():
    base, token, key_file = sys.argv[1:4]
    directory = build(
        "admin", "directory_v1", credentials=Credentials(token), client_options={"api_endpoint": base}, static_discovery=True
    )
    groups(directory, users(directory))
    rest(directory, base)
    by_key(base, key_file)
    print("judged")


main()
