using System.Collections.Concurrent;
using ZeroStor.Contracts.Doors;
using ZeroStor.Contracts.Inner;
using ZeroStor.Sealing;

namespace ZeroStor.Grains;

/// <summary>A vault with its keys unlocked.</summary>
internal sealed record OpenVault(VaultInfo Info, ClassId Class, VaultKeys Keys);

/// <summary>The vaults that this silo has opened, by name. A cache: a vault that was removed and made again
/// under its name has another id, and whoever meets the difference forgets the old one.
/// Thread-safe.</summary>
internal sealed class VaultDirectory(IGrainFactory grains, MasterKey master)
{
    /// <summary>Unlocked key rings kept; beyond it all are dropped and opened again as they are
    /// needed.</summary>
    private const int MaxOpen = 10_000;

    private readonly ConcurrentDictionary<string, OpenVault> _open = new(StringComparer.Ordinal);

    /// <exception cref="ZeroStorException">NotFound.</exception>
    public async ValueTask<OpenVault> GetAsync(string name, CancellationToken cancel)
    {
        if (_open.TryGetValue(name, out OpenVault? known))
        {
            return known;
        }

        VaultSecrets secrets = await grains.GetGrain<IVaultGrain>(name).OpenAsync(cancel);
        var opened = new OpenVault(
            secrets.Info, secrets.Class, KeyRing.Decode(secrets.KeyRing).Unlock(master));
        if (_open.Count >= MaxOpen)
        {
            _open.Clear();
        }

        return _open.GetOrAdd(name, opened);
    }

    /// <summary>The vault, if this silo has it open.</summary>
    public OpenVault? Find(string name) => _open.GetValueOrDefault(name);

    public void Forget(string name) => _open.TryRemove(name, out _);
}
