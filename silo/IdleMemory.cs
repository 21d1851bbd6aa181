using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace ZeroStor.Silo;

/// <summary>Gives back what nothing needs any more: once the garbage that the start left in the managed heap, and
/// every minute the 8 to 16 MiB that compiling a large method leaves in the heap of the C library, which keeps what
/// it was given until it is asked. Where many silos share a machine that is the memory of some more of them.
/// </summary>
internal sealed partial class IdleMemory(TimeProvider time) : BackgroundService
{
    /// <summary>The start is through by then. A look takes some milliseconds, and compiling goes
    /// on for minutes.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, time);
        try
        {
            for (bool isFirst = true; await timer.WaitForNextTickAsync(stoppingToken); isFirst = false)
            {
                if (isFirst)
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                }

                _ = TrimNativeHeap(0);
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
