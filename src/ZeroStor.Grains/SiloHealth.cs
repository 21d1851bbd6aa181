using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;
using ZeroStor.Contracts.Doors;
using ZeroStor.Volumes;
using SiloStatus = Orleans.Runtime.SiloStatus;

namespace ZeroStor.Grains;

/// <summary>Whether this silo can serve, and why not. No secret, name or path is in it.</summary>
public sealed record SiloReadiness
{
    /// <summary>What stands against it; empty when it is ready.</summary>
    public required ImmutableArray<string> Reasons { get; init; }

    /// <summary>What the silos of the fabric call this one: <c>Active</c>, <c>Joining</c>, ...</summary>
    public required string Membership { get; init; }

    /// <summary>Its disks that are open and take shards.</summary>
    public required int DisksUp { get; init; }

    /// <summary>Its disks, but for those that were removed.</summary>
    public required int Disks { get; init; }

    /// <summary>How long ago the catalog answered anything.</summary>
    public required TimeSpan CatalogSilence { get; init; }

    public bool IsReady => Reasons.IsEmpty;
}

/// <summary>What a silo says of itself to who watches over it. It asks nothing of the catalog or of other silos, so an
/// answer comes whatever is away. Thread-safe.</summary>
public sealed class SiloHealth
{
    /// <summary>Every silo asks its catalog once a second, so this is ten answers that did not come.</summary>
    public static readonly TimeSpan MaxCatalogSilence = TimeSpan.FromSeconds(10);

    /// <summary>A turn of a grain that waits for nothing takes less than a millisecond; a silo that has not given
    /// one by then hangs, or is beyond its strength.</summary>
    private static readonly TimeSpan TurnPatience = TimeSpan.FromSeconds(5);

    private readonly IGrainFactory _grains;
    private readonly IClusterMembershipService _membership;
    private readonly ILocalSiloDetails _self;
    private readonly SiloMap _map;
    private readonly LocalHomes _homes;
    private readonly SiloCatalog _catalog;
    private readonly TimeProvider _time;

    private SiloHealth(
        IGrainFactory grains,
        IClusterMembershipService membership,
        ILocalSiloDetails self,
        SiloMap map,
        LocalHomes homes,
        SiloCatalog catalog,
        TimeProvider time)
    {
        (_grains, _membership, _self) = (grains, membership, self);
        (_map, _homes, _catalog, _time) = (map, homes, catalog, time);
    }

    /// <summary>Whether a grain of this silo gets its turn.</summary>
    public async Task<bool> TurnsAsync(CancellationToken cancel)
    {
        using var patience = new CancellationTokenSource(TurnPatience, _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, patience.Token);
        try
        {
            // Every silo has its own, and what it answers it knows.
            await _grains.GetGrain<IFabricDoor>(0).RouteAsync(both.Token).WaitAsync(both.Token);
            return true;
        }
        catch (Exception e) when (e is not OutOfMemoryException && !cancel.IsCancellationRequested)
        {
            return false;
        }
    }

    public SiloReadiness Look()
    {
        SiloStatus status = _membership.CurrentSnapshot.GetSiloStatus(_self.SiloAddress);
        int disks = _map.Current.Disks.Count(d => d.Silo == _self.Name && d.State != DiskState.Removed);
        int up = _homes.All.Count(d => d.State == DiskState.Up);
        TimeSpan silence = _catalog.Silence;
        return new SiloReadiness
        {
            Reasons = [.. Reasons(status, up, disks, silence)],
            Membership = status.ToString(),
            DisksUp = up,
            Disks = disks,
            CatalogSilence = silence,
        };
    }

    internal static SiloHealth Of(IServiceProvider services) => new(
        services.GetRequiredService<IGrainFactory>(),
        services.GetRequiredService<IClusterMembershipService>(),
        services.GetRequiredService<ILocalSiloDetails>(),
        services.GetRequiredService<SiloMap>(),
        services.GetRequiredService<LocalHomes>(),
        services.GetRequiredService<SiloCatalog>(),
        services.GetRequiredService<TimeProvider>());

    // One disk of many that is gone is the fabric's to bear: a silo without any that it should have serves nothing.
    private static IEnumerable<string> Reasons(SiloStatus status, int up, int disks, TimeSpan silence)
    {
        if (status != SiloStatus.Active)
        {
            yield return $"the silo is not active among the silos, but {status}";
        }

        if (up == 0 && disks > 0)
        {
            yield return $"none of its {disks} disks is up";
        }

        if (silence > MaxCatalogSilence)
        {
            yield return $"the catalog has not answered for {silence.TotalSeconds:F0} s";
        }
    }
}
