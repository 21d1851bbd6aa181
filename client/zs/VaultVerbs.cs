using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.CommandLine;

/// <summary><c>zs vault create | ls | show | set | rm | shred</c>.</summary>
internal static class VaultVerbs
{
    public static Command Make() => new(
        "vault",
        "Makes, lists, shows, changes, removes and shreds vaults: namespaces with a policy, how objects are coded and "
        + "spread.")
    {
        MakeCreate(), MakeList(), MakeShow(), VaultSet.Make(), MakeRemove(), MakeShred(),
    };

    /// <summary>Lists the vaults: also what <c>zs ls</c> does without a target.</summary>
    public static async Task ListAsync(Verb verb, bool isLong)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        ImmutableArray<VaultInfo> vaults = await client.ListVaultsAsync(verb.Cancel);
        foreach (VaultInfo vault in vaults)
        {
            verb.Output.Line(
                isLong ? $"{vault.Code,-7}  {SpreadName(vault.Spread),-6}  {vault.Name}" : vault.Name);
        }

        verb.Output.Json(w =>
        {
            w.WriteObjects("vaults", vaults, Write);
        });
    }

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    internal static Spread ParseSpread(string text) =>
        Enum.GetValues<Spread>().Where(s => SpreadName(s) == text).Select(s => (Spread?)s).FirstOrDefault()
        ?? throw ZeroStorException.Invalid(
            $"'{text}' is no spread: {string.Join(", ", Enum.GetValues<Spread>().Select(SpreadName))} are.");

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    internal static Compression ParseCompression(string text) =>
        Enum.GetValues<Compression>()
            .Where(c => CompressionName(c) == text)
            .Select(c => (Compression?)c)
            .FirstOrDefault()
        ?? throw ZeroStorException.Invalid($"'{text}' is no compression: auto and off are.");

    internal static void Write(Utf8JsonWriter w, VaultInfo vault)
    {
        w.WriteString("name", vault.Name);
        w.WriteString("id", vault.Id.ToString());
        w.WriteString("code", vault.Code.ToString());
        w.WriteString("spread", SpreadName(vault.Spread));
        w.WriteNumber("writeFloor", vault.WriteFloor);
        w.WriteString("custody", CustodyName(vault.Custody));
        w.WriteString("versioning", Versions.NameOf(vault.Versioning));
        w.WriteString("compression", CompressionName(vault.Compression));
        w.WriteString("created", vault.Created is { } created ? Text.Time(created) : "");
    }

    private static Command MakeCreate()
    {
        var name = new Argument<string>("NAME") { Description = "The new vault's name" };
        var code = new Option<string>("--code")
        {
            Description = "Erasure code: K data shards and M more, any M of which may be lost",
            HelpName = "K+M",
        };
        var spread = new Option<string>("--spread")
        {
            Description = "What holds at most M shards of a stripe: a disk, silo, rack, site or region",
            HelpName = "DOMAIN",
            DefaultValueFactory = _ => SpreadName(Spread.Disk),
        };
        var suite = new Option<string>("--suite")
        {
            Description = "How its keys are encapsulated: xwing (X25519 and ML-KEM-768), the default, or xwing1024",
            HelpName = "SUITE",
        };
        var custody = new Option<string>("--custody")
        {
            Description = "Who keeps the keys: fabric, whose silos seal and open, or owner, who does that himself",
            HelpName = "fabric|owner",
            DefaultValueFactory = _ => "fabric",
        };
        Option<string> compression = VaultSet.MakeCompression();
        compression.DefaultValueFactory = _ => CompressionName(Compression.Auto);
        return Verb.Make("create", """
            Makes a vault.

              zs vault create photos
              zs vault create archive --code 20+4 --spread silo
              zs vault create private --custody owner
              zs vault create replies --compression off

            With --custody owner the keys are written to a key file here and a recovery key is shown, once: who loses both
            has lost what the vault holds. Silos and catalog never see them. The names of objects they see all the same.

            Content is compressed where that pays, segment by segment, before it is sealed. How well it compresses shows
            in how much is stored of it: where a secret stands beside what others may choose, that can tell the secret.
            Then say --compression off.
            """, [name, code, spread, suite, custody, compression], async verb =>
        {
            var spec = new VaultSpec
            {
                Code = verb.Arguments.GetValue(code) is { } text ? Code.Parse(text) : null,
                Spread = ParseSpread(verb.Arguments.GetRequiredValue(spread)),
                Suite = verb.Arguments.GetValue(suite),
                Compression = ParseCompression(verb.Arguments.GetRequiredValue(compression)),
            };
            string vault = VaultName.Check(verb.Arguments.GetRequiredValue(name));
            bool isOwned = IsOwned(verb.Arguments.GetRequiredValue(custody));
            await using ZeroStorClient client = await verb.ConnectAsync();
            if (isOwned)
            {
                await OwnKeys.CreateAsync(verb, client, vault, spec);
                return;
            }

            VaultInfo made = await client.CreateVaultAsync(vault, spec, verb.Cancel);
            verb.Output.Line(
                $"Made vault {made.Name}: code {made.Code}, spread over {SpreadName(made.Spread)}s.");
            verb.Output.Json(w => Write(w, made));
        });
    }

    private static bool IsOwned(string custody) => custody switch
    {
        "fabric" => false,
        "owner" => true,
        _ => throw ZeroStorException.Invalid($"'{custody}' is no custody: fabric and owner are."),
    };

    private static Command MakeList()
    {
        return Verb.Make("ls", """
            Lists the vaults.

              zs vault ls
            """, [], verb => ListAsync(verb, isLong: true));
    }

    private static Command MakeShow()
    {
        var name = new Argument<string>("NAME") { Description = "The vault" };
        return Verb.Make("show", """
            Shows what a vault is.

              zs vault show photos
            """, [name], async verb =>
        {
            await using ZeroStorClient client = await verb.ConnectAsync();
            VaultInfo vault = await client.Vault(verb.Arguments.GetRequiredValue(name)).DescribeAsync(
                verb.Cancel);
            verb.Output.Line($"name        {vault.Name}");
            verb.Output.Line($"id          {vault.Id}");
            verb.Output.Line($"code        {vault.Code}");
            verb.Output.Line($"spread      {SpreadName(vault.Spread)}");
            verb.Output.Line($"write floor {vault.WriteFloor} of {vault.Code.N} shards");
            verb.Output.Line($"custody     {CustodyName(vault.Custody)}");
            verb.Output.Line($"versioning  {Versions.NameOf(vault.Versioning)}");
            verb.Output.Line($"compression {CompressionName(vault.Compression)}");
            if (vault.Created is { } created)
            {
                verb.Output.Line($"created     {Text.Time(created)}");
            }

            verb.Output.Json(w => Write(w, vault));
        });
    }

    private static Command MakeRemove()
    {
        var name = new Argument<string>("NAME") { Description = "The vault" };
        var force = new Option<bool>("--force") { Description = "Remove all it holds as well" };
        return Verb.Make("rm", """
            Removes a vault. One that holds objects is refused without --force.

              zs vault rm photos
              zs vault rm photos --force
            """, [name, force], async verb =>
        {
            await using ZeroStorClient client = await verb.ConnectAsync();
            string vault = verb.Arguments.GetRequiredValue(name);
            await client.RemoveVaultAsync(vault, verb.Arguments.GetValue(force), verb.Cancel);
            verb.Output.Line($"Removed vault {vault}.");
            verb.Output.Json(w => w.WriteString("removed", vault));
        });
    }

    private static Command MakeShred()
    {
        var name = new Argument<string>("NAME") { Description = "The vault" };
        var yes = new Option<bool>("--yes") { Description = "It is meant: nothing brings it back" };
        return Verb.Make("shred", """
            Destroys a vault's keys at once, and removes it with all it holds.

              zs vault shred photos --yes

            What disks still hold of it is reclaimed as after any delete, and nobody opens it meanwhile. A backup of the
            catalog from before holds the keys still: where the fabric kept them they open with the master key, so put
            away such backups too; where the owner did, with his key file or recovery key alone. The key file here is
            deleted.
            """, [name, yes], async verb =>
        {
            string vault = verb.Arguments.GetRequiredValue(name);
            if (!verb.Arguments.GetValue(yes))
            {
                throw ZeroStorException.Invalid($"Shredding {vault} loses all it holds, for good: say --yes if you mean it.");
            }

            await using ZeroStorClient client = await verb.ConnectAsync();
            bool isOwned = (await client.Vault(vault).DescribeAsync(verb.Cancel)).Custody == Custody.Owner;
            await client.ShredVaultAsync(vault, verb.Cancel);
            if (isOwned)
            {
                File.Delete(verb.KeyFileOf(vault));
            }

            verb.Output.Line($"Shredded vault {vault}: its keys are gone.");
            verb.Output.Json(w => w.WriteString("shredded", vault));
        });
    }

    internal static string CompressionName(Compression compression) => compression.ToString().ToLowerInvariant();

    internal static string CustodyName(Custody custody) => custody.ToString().ToLowerInvariant();

    internal static string SpreadName(Spread spread) => spread.ToString().ToLowerInvariant();
}
