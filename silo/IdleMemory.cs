using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace ZeroStor.Silo;

/// <summary>Gives back what a silo needs no more while nobody asks anything of it: garbage of the managed heap, which
/// is left lying until 8 MiB of it are there, and 8 to 16 MiB that compiling large methods leaves in the heap of the C
/// library, which keeps what it was given until it is asked. Where many silos share a machine that is the memory of
/// some more of them.</summary>
internal sealed partial class IdleMemory(TimeProvider time) : BackgroundService
{
    /// <summary>So often it is looked; giving back takes some 20 ms of a processor, less than a thousandth.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    /// <summary>A silo that was collected more often since the last look has work, and is left alone.</summary>
    private const int IdleCollections = 3;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        int collections = GC.CollectionCount(0);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (GC.CollectionCount(0) - collections <= IdleCollections)
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    _ = TrimNativeHeap(0);
                }

                collections = GC.CollectionCount(0);
            }
        }
        catch (OperationCanceledException)
        {
            // The silo stops.
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            // Only glibc keeps so much, and only it has this.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int TrimNativeHeap(nuint keptBytes);
}
