using System.Collections.Concurrent;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>A vault with its epoch keys unlocked.</summary>
/// <param name="Info">What it is.</param>
/// <param name="Class">Where its stripes go.</param>
/// <param name="Held">Its keys; null: its owner keeps them.</param>
/// <param name="Ring">The ring that they are of.</param>
/// <param name="SeenAt">When that was last known to be the vault's, as the clock has it.</param>
internal sealed record OpenVault(VaultInfo Info, ClassId Class, VaultKeys? Held, byte[] Ring, long SeenAt)
{
    /// <exception cref="ZeroStorException">Forbidden: its owner keeps them.</exception>
    public VaultKeys Keys => Held ?? throw new ZeroStorException(
        ErrorKind.Forbidden,
        $"the keys of vault {Info.Name} are with its owner: the SDK seals and opens with the owner's key file");
}

/// <summary>The vaults that this silo has opened, by name. A cache of a minute: so soon a rotation, a removal or a
/// shredding by another silo is known here. A private key is held only while a vault is being opened; what stays are the
/// epoch keys. Thread-safe.</summary>
internal sealed class VaultDirectory(IGrainFactory grains, FabricKey master, IFabricMap map, TimeProvider time)
{
    /// <summary>Unlocked key rings kept; beyond it all are dropped and opened again as they are
    /// needed.</summary>
    private const int MaxOpen = 10_000;

    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    /// <summary>A blob under an epoch that this silo does not know has the ring read anew, but no more often than this:
    /// it may be garbage.</summary>
    private static readonly TimeSpan MinAge = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, OpenVault> _open = new(StringComparer.Ordinal);

    /// <exception cref="ZeroStorException">NotFound.</exception>
    public ValueTask<OpenVault> GetAsync(string name, CancellationToken cancel) =>
        _open.TryGetValue(name, out OpenVault? known) && time.GetElapsedTime(known.SeenAt) < MaxAge
            ? ValueTask.FromResult(known)
            : new ValueTask<OpenVault>(LookAsync(name, known, grain => grain.OpenAsync(cancel), cancel));

    /// <summary>The vault with the epoch that a wrapped content key or a sealed manifest names, if it has that.
    /// </summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public async ValueTask<OpenVault> GetAsync(string name, ReadOnlyMemory<byte> blob, CancellationToken cancel)
    {
        OpenVault vault = await GetAsync(name, cancel);

        // Another silo may have begun an epoch.
        return vault.Held is null || vault.Held.Has(blob.Span) || time.GetElapsedTime(vault.SeenAt) < MinAge
            ? vault
            : await LookAsync(name, vault, grain => grain.OpenAsync(cancel), cancel);
    }

    /// <summary>The vault with an epoch to seal under that is not worn out, if one can be begun.</summary>
    /// <exception cref="ZeroStorException">NotFound.</exception>
    public async ValueTask<OpenVault> GetForSealingAsync(string name, CancellationToken cancel)
    {
        OpenVault vault = await GetAsync(name, cancel);
        return vault.Held is { } keys && keys.IsEpochWornOut(map.Tick)
            ? await LookAsync(name, vault, grain => grain.BeginEpochAsync(keys.CurrentEpoch, cancel), cancel)
            : vault;
    }

    /// <summary>The vault, if this silo has it open.</summary>
    public OpenVault? Find(string name) => _open.GetValueOrDefault(name);

    public void Forget(string name) => _open.TryRemove(name, out _);

    private async Task<OpenVault> LookAsync(
        string name, OpenVault? known, Func<IVaultGrain, Task<VaultSecrets>> ask, CancellationToken cancel)
    {
        try
        {
            VaultSecrets secrets = await ask(grains.GetGrain<IVaultGrain>(name));
            return Keep(name, known is not null && known.Ring.AsSpan().SequenceEqual(secrets.KeyRing)
                ? known with { Info = secrets.Info, SeenAt = time.GetTimestamp() }
                : await OpenAsync(secrets, cancel));
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.Unavailable && known is not null)
        {
            // The catalog is away: what is known goes on being used until it is back.
            return Keep(name, known with { SeenAt = time.GetTimestamp() });
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.NotFound)
        {
            Forget(name);
            throw;
        }
    }

    private OpenVault Keep(string name, OpenVault vault)
    {
        if (_open.Count >= MaxOpen)
        {
            _open.Clear();
        }

        return _open[name] = vault;
    }

    private async Task<OpenVault> OpenAsync(VaultSecrets secrets, CancellationToken cancel)
    {
        KeyRing ring = KeyRing.Decode(secrets.KeyRing);
        VaultKeys? held = null;
        if (ring.Custody == Custody.Fabric)
        {
            using PrivateKeys keys = await ring.OpenAsync(master.Find(ring.Pairs[^1].HeldBy), cancel);
            held = ring.Unlock(keys);
        }

        return new OpenVault(secrets.Info, secrets.Class, held, secrets.KeyRing, time.GetTimestamp());
    }
}
