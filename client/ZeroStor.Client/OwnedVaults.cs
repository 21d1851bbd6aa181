using System.Collections.Concurrent;
using ZeroStor.Contracts.Doors;
using ZeroStor.Sealing;

namespace ZeroStor.Client;

/// <summary>A vault whose keys are with its owner, unlocked.</summary>
internal sealed record OwnedVault(VaultInfo Info, VaultKeys Keys, long OpenedAt);

/// <summary>The vaults of this client whose owner keeps the keys: what the fabric's silos do for the others. A private
/// key is held only while a ring is being opened or changed; what stays are the epoch keys. Thread-safe.</summary>
internal sealed class OwnedVaults(Fabric fabric)
{
    /// <summary>A blob under an epoch that is not known has the ring read anew, but no more often than this.</summary>
    private static readonly TimeSpan MinAge = TimeSpan.FromSeconds(1);

    /// <summary>So soon a rotation, or whether to compress, is in force for what is sealed.</summary>
    private static readonly TimeSpan MaxAgeForSealing = TimeSpan.FromMinutes(1);

    /// <summary>Somebody else may change the ring as often as this before it is given up.</summary>
    private const int MaxTries = 8;

    private readonly ConcurrentDictionary<string, OwnedVault> _open = new(StringComparer.Ordinal);

    /// <summary>The vault with an epoch to seal under; null where the fabric keeps the keys.</summary>
    /// <exception cref="ZeroStorException">NotFound: the vault; Forbidden: there is no key file, or it cannot be read;
    /// InvalidArgument: it is another vault's.</exception>
    public async ValueTask<OwnedVault?> ForSealingAsync(string name, CancellationToken cancel)
    {
        VaultInfo info = await fabric.VaultAsync(name, cancel);
        if (info.Custody != Custody.Owner)
        {
            return null;
        }

        bool isKnown = _open.TryGetValue(name, out OwnedVault? known)
            && known.Info.Id == info.Id
            && fabric.Time.GetElapsedTime(known.OpenedAt) < MaxAgeForSealing;
        OwnedVault vault = isKnown ? known! : await OpenAsync(info, cancel);
        return vault.Keys.IsEpochWornOut((await fabric.NewContentIdAsync(cancel)).Begun)
            ? await BeginEpochAsync(vault, cancel)
            : vault;
    }

    /// <summary>A vault with the epoch that a wrapped content key names, if it has that.</summary>
    /// <exception cref="ZeroStorException">As above.</exception>
    public async ValueTask<OwnedVault> ForOpeningAsync(
        VaultInfo info, ReadOnlyMemory<byte> wrapped, CancellationToken cancel)
    {
        bool isKnown = _open.TryGetValue(info.Name, out OwnedVault? known)
            && known.Info.Id == info.Id
            && (known.Keys.Has(wrapped.Span) || fabric.Time.GetElapsedTime(known.OpenedAt) < MinAge);
        return isKnown ? known! : await OpenAsync(info, cancel);
    }

    public void Forget(string name) => _open.TryRemove(name, out _);

    /// <summary>Changes the ring of a vault by compare-and-set, with its private keys at hand.</summary>
    /// <param name="info">The vault.</param>
    /// <param name="change">Given the ring and the keys in the key file; may be called again.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<KeyRing> ChangeAsync(
        VaultInfo info, Func<KeyRing, PrivateKeys, KeyRing> change, CancellationToken cancel)
    {
        for (int tries = 1; ; tries++)
        {
            byte[] was = await ReadRingAsync(info, cancel);
            using PrivateKeys keys = KeysOf(info);
            KeyRing changed = change(KeyRing.Decode(was), keys);
            try
            {
                await fabric.RepeatAsync(
                    $"changing the keys of vault '{info.Name}'",
                    token => fabric.Doors.Vault(info.Name).ChangeOwnRingAsync(was, changed.Encode(), token),
                    cancel);
                _open.TryRemove(info.Name, out _);
                return changed;
            }
            catch (ZeroStorException failure)
                when (failure.Kind == ErrorKind.PreconditionFailed && tries < MaxTries)
            {
                // Another client of the same owner was quicker.
            }
        }
    }

    /// <summary>The ring as it stands.</summary>
    public async Task<byte[]> ReadRingAsync(VaultInfo info, CancellationToken cancel)
    {
        byte[] ring = await fabric.RepeatAsync(
            $"asking for the keys of vault '{info.Name}'", fabric.Doors.Vault(info.Name).OwnRingAsync, cancel);
        return KeyRing.Decode(ring).Vault == info.Id
            ? ring
            : throw ZeroStorException.Corrupt($"The fabric gave the key ring of another vault than '{info.Name}'.");
    }

    private async Task<OwnedVault> OpenAsync(VaultInfo info, CancellationToken cancel)
    {
        // Whether to compress may have been set since the vault was looked for.
        Task<VaultInfo> looking = fabric.VaultAnewAsync(info.Name, cancel);
        Task<byte[]> reading = ReadRingAsync(info, cancel);
        await Task.WhenAll(looking, reading);
        KeyRing ring = KeyRing.Decode(await reading);
        using PrivateKeys keys = KeysOf(info);
        return _open[info.Name] = new OwnedVault(
            info with { Compression = (await looking).Compression }, ring.Unlock(keys), fabric.Time.GetTimestamp());
    }

    private async Task<OwnedVault> BeginEpochAsync(OwnedVault vault, CancellationToken cancel)
    {
        Tick now = (await fabric.NewContentIdAsync(cancel)).Begun;
        await ChangeAsync(
            vault.Info,
            (ring, keys) => ring.Epochs[^1].Number > vault.Keys.CurrentEpoch && vault.Keys.CurrentEpoch > 0
                ? ring
                : ring.WithNextEpoch(keys, now, fabric.Entropy),
            cancel);
        return await OpenAsync(vault.Info, cancel);
    }

    private PrivateKeys KeysOf(VaultInfo info) => fabric.Options.OwnerKeys(info.Name)
        ?? throw new ZeroStorException(
            ErrorKind.Forbidden,
            $"The keys of vault '{info.Name}' are with its owner, and there is no key file {OwnerKeyFile.PathOf(info.Name)}: "
            + "put it there, name it with --key-file, or make it anew from the recovery key (zs key import).");
}
