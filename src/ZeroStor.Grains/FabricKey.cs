using System.Security.Cryptography;
using ZeroStor.Contracts;
using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>The master key that this silo was given, once it is proven to be the fabric's: the catalog has the id
/// of the fabric's key since its first silo entered it, and every silo compares. A silo with another key would
/// make vaults that no other can open. A key is made only for a fabric that has none. Beside it there may be the next
/// one, while <see cref="MasterRotation"/> has not been, or the silo was not started anew since.</summary>
internal sealed class FabricKey(ZeroStorOptions options, ICatalog catalog, IEntropy entropy)
{
    private MasterKey? _key;

    /// <summary>The key, when <see cref="OpenAsync"/> has returned.</summary>
    public MasterKey Current => _key
        ?? throw new ZeroStorException(ErrorKind.Unavailable, "the silo has not read its master key yet");

    /// <summary>The one that shall take its place, or did by now; null: none.</summary>
    public MasterKey? Next { get; private set; }

    private string FilePath => options.MasterKeyFile ?? Path.Combine(options.Data, "keys", "master.key");

    /// <summary>The one of this id; where this silo has none such, the current one, which then says so itself.
    /// </summary>
    public MasterKey Find(string? id) => Next is { } next && next.Id == id ? next : Current;

    /// <summary>The one that the catalog names now: what is wrapped anew is wrapped under it.</summary>
    public async Task<MasterKey> StandingAsync(CancellationToken cancel) =>
        Find((await catalog.ReadFabricAsync(cancel)).MasterKey);

    /// <exception cref="ZeroStorException">NotFound: there is no file, and the fabric has a key;
    /// PreconditionFailed: another key than the fabric's.</exception>
    public async Task OpenAsync(FabricState fabric, FabricMap map, CancellationToken cancel)
    {
        byte[] passphrase = ReadPassphrase(options.MasterKeyPassphraseFile);
        byte[] nextPassphrase = ReadPassphrase(options.NextMasterKeyPassphraseFile);
        try
        {
            OpenNext(nextPassphrase);
            await OpenCurrentAsync(fabric, map, passphrase, cancel);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(passphrase);
            CryptographicOperations.ZeroMemory(nextPassphrase);
        }

        if (Next?.Id == Current.Id)
        {
            throw ZeroStorException.Invalid(
                $"the next master key is {Current.Id}, which this silo has already: leave it out");
        }
    }

    private void OpenNext(byte[] passphrase)
    {
        if (options.NextMasterKeyFile is { } path)
        {
            Next = MasterKeyFile.Find(path, passphrase) ?? throw ZeroStorException.NotFound(
                $"there is no master key {path}: zs key master {path} makes one, for all silos");
        }
    }

    private async Task OpenCurrentAsync(
        FabricState fabric, FabricMap map, byte[] passphrase, CancellationToken cancel)
    {
        if (MasterKeyFile.Find(FilePath, passphrase) is { } found)
        {
            _key = found;
            await DemandAsync(found, cancel);
            return;
        }

        if (fabric.MasterKey is not null || map.Disks.Any(d => d.Claim > 0))
        {
            throw ZeroStorException.NotFound(
                $"there is no master key {FilePath}, and this fabric is sealed under one"
                + (fabric.MasterKey is { } id ? $" ({id})" : "")
                + ": put the backup back, or give this silo the file of the others with --master-key");
        }

        await MakeAsync(passphrase, cancel);
    }

    private async Task MakeAsync(byte[] passphrase, CancellationToken cancel)
    {
        MasterKey? made = MasterKeyFile.Create(FilePath, entropy, passphrase);
        _key = made ?? MasterKeyFile.Find(FilePath, passphrase);
        try
        {
            await DemandAsync(Current, cancel);
        }
        catch (ZeroStorException e) when (made is not null && e.Kind == ErrorKind.PreconditionFailed)
        {
            // Another silo was the first: nothing was ever sealed under this one.
            File.Delete(FilePath);
            throw;
        }
    }

    private static byte[] ReadPassphrase(string? path) =>
        path is null ? [] : SecretFile.ReadPassphrase(path);

    private async Task DemandAsync(MasterKey key, CancellationToken cancel)
    {
        string stands = await catalog.EnterMasterKeyAsync(key.Id, cancel);
        if (stands != key.Id && stands != Next?.Id)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"the master key {FilePath} is {key.Id}, and this fabric is sealed under {stands}: give this silo the "
                + "file of the others with --master-key");
        }
    }
}
