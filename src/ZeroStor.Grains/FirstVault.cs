using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ZeroStor.Contracts.Doors;
using ZeroStor.Placement;

namespace ZeroStor.Grains;

/// <summary>Makes the vault that a new fabric begins with, as soon as there are disks enough for its code. Every
/// silo tries until it is there; whichever comes first makes it. Once it was seen nobody makes it anew, so that
/// an operator can remove it, until a silo starts again.</summary>
internal sealed class FirstVault(
    IGrainFactory grains,
    ICatalog catalog,
    SiloMap map,
    ZeroStorOptions options,
    TimeProvider time,
    ILogger<FirstVault> log) : BackgroundService
{
    private const string Name = ZeroStorSilo.DefaultVault;

    /// <summary>Between two looks: one small query and the map, by every silo of a fabric that is still too
    /// small.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private string? _told;
    private volatile bool _isThere;

    /// <summary>Makes it if it is not there and can be made.</summary>
    public async Task MakeAsync(CancellationToken cancel)
    {
        try
        {
            _isThere = _isThere || await catalog.FindVaultAsync(Name, cancel) is not null || await CreateAsync(cancel);
        }
        catch (ZeroStorException e) when (e.Kind == ErrorKind.AlreadyExists)
        {
            // Another silo was quicker.
            _isThere = true;
        }
        catch (ZeroStorException e)
        {
            Tell(e.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, time);
        try
        {
            while (!_isThere && await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    await MakeAsync(stoppingToken);
                }
                catch (Exception e) when (e is not (OperationCanceledException or OutOfMemoryException))
                {
                    // The silo is not active yet, or lost another one: it is tried again.
                    Tell(e.Message);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
    }

    private async Task<bool> CreateAsync(CancellationToken cancel)
    {
        DiskEntry[] up = [.. map.Current.Disks.Where(d => d.State == DiskState.Up)];
        if (GroupPlanner.Misfit(up, options.DefaultCode, Spread.Disk) is { } misfit)
        {
            Tell(misfit);
            return false;
        }

        VaultInfo made = await grains.GetGrain<IVaultDoor>(Name).CreateAsync(new VaultSpec(), cancel);
        log.VaultMade(made.Name, made.Code);
        return true;
    }

    // The number of disks in the sentence changes while a fabric grows: that much is told, and no more.
    private void Tell(string why)
    {
        if (Interlocked.Exchange(ref _told, why) != why)
        {
            log.VaultNotMade(Name, why);
        }
    }
}
