using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.CommandLine;

/// <summary>What the verbs do with the key file of a vault whose owner keeps the keys. A key is in the file, synced,
/// before anything is sealed under it, and leaves it after nothing is.</summary>
internal static class OwnKeys
{
    public static async Task CreateAsync(Verb verb, ZeroStorClient client, string vault, VaultSpec spec)
    {
        string path = verb.KeyFileOf(vault);
        using PrivateKeys keys =
            PrivateKeys.Generate(VaultId.New(SystemEntropy.Instance), spec.Suite, SystemEntropy.Instance);
        OwnerKeyFile.Create(path, keys);
        VaultInfo made;
        try
        {
            made = await client.CreateOwnedVaultAsync(vault, keys, spec, verb.Cancel);
        }
        catch (ZeroStorException failure) when (failure.Kind != ErrorKind.Unavailable)
        {
            // It was refused, so nothing is under these keys.
            File.Delete(path);
            throw;
        }

        verb.Output.Line(
            $"Made vault {made.Name}: code {made.Code}, spread over {VaultVerbs.SpreadName(made.Spread)}s, its keys with "
            + "you.");
        ShowKept(verb, path, keys);
        verb.Output.Json(w =>
        {
            VaultVerbs.Write(w, made);
            w.WriteString("keyFile", path);
            w.WriteString("recoveryKey", PrivateKeysText.ToRecoveryKey(keys));
        });
    }

    public static async Task RotateAsync(Verb verb, Vault vault, string? suite)
    {
        string path = verb.KeyFileOf(vault.Name);
        PrivateKeys keys = Demand(verb, vault.Name);
        try
        {
            keys = keys.WithNext(suite, SystemEntropy.Instance);
            OwnerKeyFile.Replace(path, keys);
            await vault.RotateOwnKeyAsync(verb.Cancel);
            ShowKept(verb, path, keys);
            KeyVerbs.Show(verb.Output, await vault.KeysAsync(verb.Cancel), w =>
            {
                w.WriteString("keyFile", path);
                w.WriteString("recoveryKey", PrivateKeysText.ToRecoveryKey(keys));
            });
        }
        finally
        {
            keys.Dispose();
        }
    }

    public static async Task RetireAsync(Verb verb, Vault vault, uint generation)
    {
        using PrivateKeys keys = Demand(verb, vault.Name);
        await vault.RetireOwnKeyAsync(generation, verb.Cancel);
        OwnerKeyFile.Replace(verb.KeyFileOf(vault.Name), keys.Without(generation));
        KeyVerbs.Show(verb.Output, await vault.KeysAsync(verb.Cancel));
    }

    public static void Export(Verb verb, string vault, string file)
    {
        using PrivateKeys keys = Demand(verb, vault);
        OwnerKeyFile.Create(file, keys);
        verb.Output.Line($"Wrote the keys of vault {vault} to {file}. Who has it opens what the vault holds.");
        verb.Output.Json(w => w.WriteString("keyFile", file));
    }

    public static async Task ImportAsync(Verb verb, Vault vault, string? file, bool isRecovery)
    {
        if (isRecovery == (file is not null))
        {
            throw ZeroStorException.Invalid("Name a key file, or say --recovery and give the recovery key.");
        }

        using PrivateKeys keys = isRecovery
            ? PrivateKeysText.FromRecoveryKey(await Console.In.ReadLineAsync(verb.Cancel) ?? "")
            : OwnerKeyFile.Find(file!) ?? throw ZeroStorException.NotFound($"There is no key file {file}.");
        await vault.CheckOwnKeysAsync(keys, verb.Cancel);
        string path = verb.KeyFileOf(vault.Name);
        OwnerKeyFile.Create(path, keys);
        verb.Output.Line($"Wrote the keys of vault {vault.Name} to {path}.");
        verb.Output.Json(w => w.WriteString("keyFile", path));
    }

    private static PrivateKeys Demand(Verb verb, string vault)
    {
        string path = verb.KeyFileOf(vault);
        return OwnerKeyFile.Find(path) ?? throw ZeroStorException.NotFound(
            $"There is no key file {path}: name it with --key-file, or make it anew from the recovery key (zs key import).");
    }

    private static void ShowKept(Verb verb, string path, PrivateKeys keys)
    {
        verb.Output.Line($"key file      {path}");
        verb.Output.Line($"recovery key  {PrivateKeysText.ToRecoveryKey(keys)}");
        verb.Output.Line("Write the recovery key down: it is not shown again, and without it or the key file nothing opens.");
    }
}
