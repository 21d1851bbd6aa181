using System.CommandLine;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs vault set</c>: what of a vault may change.</summary>
internal static class VaultSet
{
    public static Command Make()
    {
        var name = new Argument<string>("NAME") { Description = "The vault" };
        var versioning = new Option<string>("--versioning")
        {
            Description = "on: earlier versions are kept; suspended: those that were kept stay, no more are; off: none "
                + "are, for a vault that never kept any",
            HelpName = "on|suspended|off",
        };
        Option<string> compression = MakeCompression();
        return Verb.Make("set", """
            Changes what becomes of earlier versions of a vault's objects, from the next put and delete on, and whether
            what is put is compressed.

              zs vault set photos --versioning on
              zs vault set replies --compression off

            Whoever puts knows within a minute whether to compress. What was put before stays as it is, and reads back
            either way. How well content compresses shows in how much is stored of it: where a secret stands beside what
            others may choose, that can tell the secret. Then say --compression off.
            """, [name, versioning, compression], async verb =>
        {
            Versioning? versions =
                verb.Arguments.GetValue(versioning) is { } kept ? Versions.ParseVersioning(kept) : null;
            Compression? compress =
                verb.Arguments.GetValue(compression) is { } how ? VaultVerbs.ParseCompression(how) : null;
            if (versions is null && compress is null)
            {
                throw ZeroStorException.Invalid("Say what to set: --versioning, --compression or both.");
            }

            await SetAsync(verb, verb.Arguments.GetRequiredValue(name), versions, compress);
        });
    }

    public static Option<string> MakeCompression() => new("--compression")
    {
        Description = "Whether content is compressed before it is sealed: auto, where that pays, or off",
        HelpName = "auto|off",
    };

    private static async Task SetAsync(Verb verb, string name, Versioning? versioning, Compression? compression)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        VaultInfo? vault = null;
        if (versioning is { } versions)
        {
            vault = await client.Vault(name).SetVersioningAsync(versions, verb.Cancel);
            verb.Output.Line($"Versioning of vault {vault.Name} is {Versions.NameOf(vault.Versioning)}.");
        }

        if (compression is { } compress)
        {
            vault = await client.Vault(name).SetCompressionAsync(compress, verb.Cancel);
            verb.Output.Line(
                $"Compression of vault {vault.Name} is {VaultVerbs.CompressionName(vault.Compression)}.");
        }

        verb.Output.Json(w => VaultVerbs.Write(w, vault!));
    }
}
