using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace ZeroStor.Silo;

/// <summary>Gives back what a silo needs no more while nobody asks anything of it: buffers that are kept for the
/// next stripes, garbage that is left lying until 4 MiB of it are there, and 8 to 16 MiB that compiling large methods
/// leaves in the heap of the C library, which keeps what it was given until it is asked. Where many silos share a machine that is the memory of
/// some more of them.</summary>
internal sealed partial class IdleMemory(TimeProvider time) : BackgroundService
{
    /// <summary>So often it is looked; giving back takes some 20 ms of a processor, less than a thousandth.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    /// <summary>What a silo takes of a processor that only sees to itself is below half of this; one that takes more
    /// has work, and needs what it holds.</summary>
    private const double IdleProcessors = 0.05;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                if (Environment.CpuUsage.TotalTime - before <= IdleProcessors * Period)
                {
                    BufferPool.Shared.Trim();
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    _ = TrimNativeHeap(0);
                }

                before = Environment.CpuUsage.TotalTime;
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
