using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs access create | ls | revoke</c>.</summary>
internal static class AccessVerbs
{
    private const string EveryVault = "*";

    private static readonly ImmutableArray<VaultRights> Each =
        [VaultRights.Create, VaultRights.Read, VaultRights.Write, VaultRights.List, VaultRights.Delete];

    public static Command Make() => new(
        "access", "Makes, lists and revokes access keys, by which the S3 front end knows its users.")
    {
        MakeCreate(), MakeList(), MakeRevoke(),
    };

    /// <exception cref="ZeroStorException">InvalidArgument: no such right.</exception>
    internal static VaultRights ParseRights(string text)
    {
        VaultRights rights = VaultRights.None;
        foreach (string name in text.Split(
            ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            VaultRights right = Each.FirstOrDefault(r => NameOf(r) == name);
            rights |= right != VaultRights.None
                ? right
                : throw ZeroStorException.Invalid(
                    $"'{name}' is no right: {string.Join(", ", Each.Select(NameOf))} are.");
        }

        return rights != VaultRights.None
            ? rights
            : throw ZeroStorException.Invalid("An access key needs a right: --rights read is one.");
    }

    private static Command MakeCreate()
    {
        var vaults = new Option<string[]>("--vault")
        {
            Description = "The vault that it is for; repeatable. '*' is every vault, also those to come",
            HelpName = "NAME",
            Required = true,
        };
        var rights = new Option<string?>("--rights")
        {
            Description = "What it may do: create (make the vault, set it up, remove it), read, write, list, "
                + "delete. [default: all; without create where vaults are named]",
            HelpName = "RIGHT,RIGHT...",
        };
        return Verb.Make("create", """
            Makes an access key and shows its secret, once.

              zs access create --vault photos
              zs access create --vault photos --rights read,list --json
              zs access create --vault '*'
            """, [vaults, rights], async verb =>
        {
            string[] named = verb.Arguments.GetRequiredValue(vaults);
            bool isEvery = named.Contains(EveryVault);
            if (isEvery && named.Length > 1)
            {
                throw ZeroStorException.Invalid("'*' is every vault: name no other beside it.");
            }

            var spec = new AccessKeySpec
            {
                Rights = verb.Arguments.GetValue(rights) is { } text
                    ? ParseRights(text)
                    : isEvery ? VaultRights.All : VaultRights.All & ~VaultRights.Create,
                Vaults = isEvery ? [] : [.. named.Select(VaultName.Check)],
            };
            await using ZeroStorClient client = await verb.ConnectAsync();
            AccessKeyGrant made = (await client.AccessKeys.CreateAsync(spec, verb.Cancel))!;
            verb.Output.Line($"access key  {made.Key.Id}");
            verb.Output.Line($"secret key  {made.Secret}");
            verb.Output.Line($"for         {Describe(made.Key)}");
            verb.Output.Json(w =>
            {
                w.WriteString("accessKey", made.Key.Id);
                w.WriteString("secretKey", made.Secret);
                WriteScope(w, made.Key);
            });
        });
    }

    private static Command MakeList() => Verb.Make("ls", """
        Lists the access keys, without their secrets, which nothing shows again.

          zs access ls
        """, [], async verb =>
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        ImmutableArray<AccessKeyInfo> keys = await client.AccessKeys.ListAsync(verb.Cancel);
        foreach (AccessKeyInfo key in keys)
        {
            verb.Output.Line(string.Create(
                CultureInfo.InvariantCulture, $"{key.Id}  {key.Created:yyyy-MM-dd HH:mm}  {Describe(key)}"));
        }

        verb.Output.Json(w => w.WriteObjects("accessKeys", keys, (writer, key) =>
        {
            writer.WriteString("accessKey", key.Id);
            writer.WriteString("created", key.Created);
            WriteScope(writer, key);
        }));
    });

    private static Command MakeRevoke()
    {
        var id = new Argument<string>("ACCESS-KEY") { Description = "Which: zs access ls tells" };
        return Verb.Make("revoke", """
            Takes an access key back. Within a minute no front end takes it any more; requests under way may
            end.

              zs access revoke ZS4K0J7M2Q9X1C5T8V3B
            """, [id], async verb =>
        {
            string key = verb.Arguments.GetRequiredValue(id);
            await using ZeroStorClient client = await verb.ConnectAsync();
            if (!await client.AccessKeys.RevokeAsync(key, verb.Cancel))
            {
                throw ZeroStorException.NotFound($"There is no access key {key}: zs access ls lists them.");
            }

            verb.Output.Line($"Revoked {key}.");
            verb.Output.Json(w => w.WriteString("accessKey", key));
        });
    }

    private static string Describe(AccessKeyInfo key)
    {
        string where = key.Vaults.IsEmpty ? "every vault" : string.Join(", ", key.Vaults);
        return $"{string.Join(",", NamesOf(key.Rights))} in {where}";
    }

    private static void WriteScope(Utf8JsonWriter w, AccessKeyInfo key)
    {
        WriteAll("rights", NamesOf(key.Rights));
        WriteAll("vaults", key.Vaults.IsEmpty ? [EveryVault] : key.Vaults);

        void WriteAll(string name, IEnumerable<string> values)
        {
            w.WriteStartArray(name);
            foreach (string value in values)
            {
                w.WriteStringValue(value);
            }

            w.WriteEndArray();
        }
    }

    private static IEnumerable<string> NamesOf(VaultRights rights) =>
        Each.Where(r => rights.HasFlag(r)).Select(NameOf);

    private static string NameOf(VaultRights right) => right.ToString().ToLowerInvariant();
}
