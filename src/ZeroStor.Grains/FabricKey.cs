using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>The master key that this silo was given, once it is proven to be the fabric's: the catalog has the id
/// of the fabric's key since its first silo entered it, and every silo compares. A silo with another key would
/// make vaults that no other can open. A key is made only for a fabric that has none.</summary>
internal sealed class FabricKey(ZeroStorOptions options, ICatalog catalog, IEntropy entropy)
{
    private MasterKey? _key;

    /// <summary>The key, when <see cref="OpenAsync"/> has returned.</summary>
    public MasterKey Current => _key
        ?? throw new ZeroStorException(ErrorKind.Unavailable, "the silo has not read its master key yet");

    private string FilePath => options.MasterKeyFile ?? Path.Combine(options.Data, "keys", "master.key");

    /// <exception cref="ZeroStorException">NotFound: there is no file, and the fabric has a key;
    /// PreconditionFailed: another key than the fabric's.</exception>
    public async Task OpenAsync(FabricState fabric, FabricMap map, CancellationToken cancel)
    {
        if (MasterKeyFile.Find(FilePath) is { } found)
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

        await MakeAsync(cancel);
    }

    private async Task MakeAsync(CancellationToken cancel)
    {
        MasterKey? made = MasterKeyFile.Create(FilePath, entropy);
        _key = made ?? MasterKeyFile.Find(FilePath);
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

    private async Task DemandAsync(MasterKey key, CancellationToken cancel)
    {
        string stands = await catalog.EnterMasterKeyAsync(key.Id, cancel);
        if (stands != key.Id)
        {
            throw new ZeroStorException(
                ErrorKind.PreconditionFailed,
                $"the master key {FilePath} is {key.Id}, and this fabric is sealed under {stands}: give this silo the "
                + "file of the others with --master-key");
        }
    }
}
