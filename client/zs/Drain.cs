using System.Collections.Immutable;
using System.CommandLine;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary>The wait for disks that are being emptied.</summary>
internal static class Drain
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>The silo that is looked at may be another than the one that was told: it follows the map within a
    /// second.</summary>
    private const int MaxLooks = 5;

    public static Option<bool> MakeWait() =>
        new("--wait") { Description = "End when all that is needed of it is on others" };

    /// <summary>Hurries repair until none of the disks drains any more. One that cannot be reached meanwhile is
    /// waited for as well: what it held is rebuilt then.</summary>
    public static async Task UntilEmptyAsync(
        ZeroStorClient client, Func<DiskStatus, bool> which, CancellationToken cancel)
    {
        DiskId[] begun = await LookAsync("draining", "drained");
        for (int looks = 1; begun.Length == 0 && looks < MaxLooks; looks++)
        {
            await Task.Delay(Pause, cancel);
            begun = await LookAsync("draining", "drained");
        }

        while ((await LookAsync("draining", "missing")).Intersect(begun).Any())
        {
            await client.RepairAsync(hurry: true, cancel);
            await Task.Delay(Pause, cancel);
        }

        async Task<DiskId[]> LookAsync(params string[] states)
        {
            ImmutableArray<DiskStatus> disks = await client.ListDisksAsync(cancel);
            return [.. disks.Where(d => which(d) && states.Contains(d.State)).Select(d => d.Id)];
        }
    }
}
