using System.Collections.Immutable;
using System.CommandLine;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs vault create | ls | show | rm</c>.</summary>
internal static class VaultVerbs
{
    public static Command Make() => new(
        "vault",
        "Makes, lists, shows and removes vaults: namespaces with a policy, how objects are coded and spread.")
    {
        MakeCreate(), MakeList(), MakeShow(), MakeRemove(),
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

    internal static void Write(Utf8JsonWriter w, VaultInfo vault)
    {
        w.WriteString("name", vault.Name);
        w.WriteString("id", vault.Id.ToString());
        w.WriteString("code", vault.Code.ToString());
        w.WriteString("spread", SpreadName(vault.Spread));
        w.WriteNumber("writeFloor", vault.WriteFloor);
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
        return Verb.Make("create", """
            Makes a vault.

              zs vault create photos
              zs vault create archive --code 20+4 --spread silo
            """, [name, code, spread], async verb =>
        {
            var spec = new VaultSpec
            {
                Code = verb.Arguments.GetValue(code) is { } text ? Code.Parse(text) : null,
                Spread = ParseSpread(verb.Arguments.GetRequiredValue(spread)),
            };
            await using ZeroStorClient client = await verb.ConnectAsync();
            VaultInfo made = await client.CreateVaultAsync(
                verb.Arguments.GetRequiredValue(name), spec, verb.Cancel);
            verb.Output.Line(
                $"Made vault {made.Name}: code {made.Code}, spread over {SpreadName(made.Spread)}s.");
            verb.Output.Json(w => Write(w, made));
        });
    }

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

    internal static string SpreadName(Spread spread) => spread.ToString().ToLowerInvariant();
}
