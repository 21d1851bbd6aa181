using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.CommandLine;

/// <summary><c>zs key ls | rotate | retire | export | import | master</c>.</summary>
internal static class KeyVerbs
{
    private static readonly Argument<string> Name = new("VAULT") { Description = "The vault" };

    public static Command Make() => new(
        "key",
        "Lists, rotates and retires the keys of a vault. A vault has a key pair; its epochs, which wrap the keys of "
        + "objects, are encapsulated to it.")
    {
        MakeList(), MakeRotate(), MakeRetire(), MakeExport(), MakeImport(), MakeMaster(),
    };

    internal static void Show(Output output, VaultKeyRing ring, Action<Utf8JsonWriter>? more = null)
    {
        output.Line($"custody  {ring.Custody}");
        foreach (VaultKey key in ring.Keys)
        {
            string held = key.HeldBy.Length > 0 ? $"held by master key {key.HeldBy}" : "held by its owner";
            output.Line($"key {key.Generation,-4} {key.Suite}, since tick {key.Begun.Value}, {held}, {EpochsOf(key)}");
        }

        output.Json(w =>
        {
            w.WriteString("custody", ring.Custody);
            w.WriteNumber("bytes", ring.Bytes);
            w.WriteObjects("keys", ring.Keys, Write);
            more?.Invoke(w);
        });
    }

    private static Command MakeList() => Verb.Make("ls", """
        Lists the keys of a vault: generations, suites, who holds them, and the epochs that go to each. Shows nothing
        secret.

          zs key ls photos
        """, [Name], async verb =>
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        Show(verb.Output, await client.Vault(verb.Arguments.GetRequiredValue(Name)).KeysAsync(verb.Cancel));
    });

    private static Command MakeRotate()
    {
        var suite = new Option<string>("--suite")
        {
            Description = "Of the new key: xwing (X25519 and ML-KEM-768) or xwing1024 (ML-KEM-1024); as the last one's "
                + "unless said",
            HelpName = "SUITE",
        };
        var name = new Argument<string?>("VAULT") { Description = "The vault", Arity = ArgumentArity.ZeroOrOne };
        var master = new Option<bool>("--master") { Description = "Rotate the fabric's master key instead" };
        return Verb.Make("rotate", """
            Makes a vault a new key pair. All its epochs are encapsulated to the new one and a fresh epoch begins, which
            takes a few kilobytes however much the vault holds: no object is rewritten. Within a minute all silos seal
            under it. The earlier key stays in the ring until it is retired, and what was backed up of the ring before
            can still be opened with it.

              zs key rotate photos
              zs key rotate photos --suite xwing1024
              zs key rotate --master

            With --master the fabric's master key, under which it keeps the keys of vaults: make another (zs key master),
            start all silos with --next-master-key, rotate, and start them with it as --master-key.
            """, [name, suite, master], async verb =>
        {
            string? named = verb.Arguments.GetValue(name);
            bool isMaster = verb.Arguments.GetValue(master);
            if (isMaster == (named is not null))
            {
                throw ZeroStorException.Invalid("Name a vault whose key to rotate, or say --master.");
            }

            await using ZeroStorClient client = await verb.ConnectAsync();
            if (isMaster)
            {
                Tell(verb.Output, await client.RotateMasterKeyAsync(verb.Cancel));
                return;
            }

            Vault vault = client.Vault(named!);
            string? asked = verb.Arguments.GetValue(suite);
            if ((await vault.DescribeAsync(verb.Cancel)).Custody == Custody.Owner)
            {
                await OwnKeys.RotateAsync(verb, vault, asked);
                return;
            }

            Show(verb.Output, await vault.RotateKeyAsync(asked, verb.Cancel));
        });
    }

    private static void Tell(Output output, MasterRotated rotated)
    {
        output.Line($"master key  {rotated.Is}, was {rotated.Was}");
        output.Line($"vaults      {rotated.Vaults} whose keys were wrapped anew");
        output.Line($"access keys {rotated.AccessKeys} whose secrets were");
        output.Line("Start all silos with the new one as --master-key when both are 0; then put the old one away.");
        output.Json(w =>
        {
            w.WriteString("is", rotated.Is);
            w.WriteString("was", rotated.Was);
            w.WriteNumber("vaults", rotated.Vaults);
            w.WriteNumber("accessKeys", rotated.AccessKeys);
        });
    }

    private static Command MakeMaster()
    {
        var file = new Argument<string>("FILE") { Description = "A new file, for this user alone" };
        var passphrase = new Option<string>("--passphrase-file")
        {
            Description = "A file with a passphrase to put it under",
            HelpName = "FILE",
        };
        return Verb.Make("master", """
            Makes a master key: for a new fabric, or as the next one of a fabric. Connects to nothing. Without a backup of
            it nothing that the fabric holds can be opened again.

              zs key master next.key
              zs key master next.key --passphrase-file passphrase.txt
            """, [file, passphrase], verb =>
        {
            string path = verb.Arguments.GetRequiredValue(file);
            byte[] words = verb.Arguments.GetValue(passphrase) is { } from ? SecretFile.ReadPassphrase(from) : [];
            using MasterKey made = MasterKeyFile.Create(path, SystemEntropy.Instance, words)
                ?? throw new ZeroStorException(
                    ErrorKind.AlreadyExists, $"There is a file {path} already: name another.");
            verb.Output.Line($"Made master key {made.Id} in {path}.");
            verb.Output.Json(w =>
            {
                w.WriteString("id", made.Id);
                w.WriteString("file", path);
            });
            return Task.CompletedTask;
        });
    }

    private static Command MakeRetire()
    {
        var generation = new Argument<uint>("GENERATION") { Description = "Which key: zs key ls tells" };
        return Verb.Make("retire", """
            Takes an earlier key of a vault out of its ring. The newest, and one that an epoch still goes to, stays: rotate
            first.

              zs key retire photos 1
            """, [Name, generation], async verb =>
        {
            await using ZeroStorClient client = await verb.ConnectAsync();
            Vault vault = client.Vault(verb.Arguments.GetRequiredValue(Name));
            uint retired = verb.Arguments.GetRequiredValue(generation);
            if ((await vault.DescribeAsync(verb.Cancel)).Custody == Custody.Owner)
            {
                await OwnKeys.RetireAsync(verb, vault, retired);
                return;
            }

            Show(verb.Output, await vault.RetireKeyAsync(retired, verb.Cancel));
        });
    }

    private static Command MakeExport()
    {
        var file = new Argument<string>("FILE") { Description = "A new file, for this user alone" };
        return Verb.Make("export", """
            Copies the key file of a vault whose owner keeps the keys: for another client of the same owner, or a backup.

              zs key export private /media/stick/private.key
            """, [Name, file], verb =>
        {
            OwnKeys.Export(verb, verb.Arguments.GetRequiredValue(Name), verb.Arguments.GetRequiredValue(file));
            return Task.CompletedTask;
        });
    }

    private static Command MakeImport()
    {
        var file = new Argument<string?>("FILE")
        {
            Description = "A key file that was exported",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var recovery = new Option<bool>("--recovery") { Description = "Read a recovery key from standard input" };
        return Verb.Make("import", """
            Brings the keys of a vault whose owner keeps them to where zs looks for them, after it held them against the
            vault's key ring. A key file that is there is never written over.

              zs key import private /media/stick/private.key
              zs key import private --recovery
            """, [Name, file, recovery], async verb =>
        {
            await using ZeroStorClient client = await verb.ConnectAsync();
            await OwnKeys.ImportAsync(
                verb,
                client.Vault(verb.Arguments.GetRequiredValue(Name)),
                verb.Arguments.GetValue(file),
                verb.Arguments.GetValue(recovery));
        });
    }

    private static string EpochsOf(VaultKey key) => key.Epochs switch
    {
        [] => "no epoch: it can be retired",
        [uint only] => string.Create(CultureInfo.InvariantCulture, $"epoch {only}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"epochs {key.Epochs[0]} to {key.Epochs[^1]}"),
    };

    private static void Write(Utf8JsonWriter w, VaultKey key)
    {
        w.WriteNumber("generation", key.Generation);
        w.WriteString("suite", key.Suite);
        w.WriteNumber("begunTick", key.Begun.Value);
        w.WriteString("heldBy", key.HeldBy);
        w.WriteStartArray("epochs");
        foreach (uint epoch in key.Epochs)
        {
            w.WriteNumberValue(epoch);
        }

        w.WriteEndArray();
    }
}
