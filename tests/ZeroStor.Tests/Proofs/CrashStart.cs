using ZeroStor.Tests.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>A disk that was closed in order, from which orders go on.</summary>
internal sealed record CrashStart(string Name, DiskImage Image, DiskDebt Debt, int Made)
{
    private const int FirstOfLifeBefore = 1000;

    /// <summary>Nothing in it yet; one volume, of which a part is dead; and <see cref="HalfDeadAsync"/>.
    /// </summary>
    internal static Task<CrashStart[]> AllAsync() => Task.WhenAll(
        MakeAsync("empty"),
        MakeAsync("in use", DiskOrder.Append, DiskOrder.Append, DiskOrder.Reclaim),
        HalfDeadAsync());

    /// <summary>A sealed volume more than half dead, and in the next the records that say so.</summary>
    internal static Task<CrashStart> HalfDeadAsync() => MakeAsync(
        "half dead", DiskOrder.Append, DiskOrder.Seal, DiskOrder.Drop, DiskOrder.Drop, DiskOrder.Append);

    /// <summary>Volumes full of another life's records, one at the start of each block, whose blocks a device
    /// may give to the volumes of this one.</summary>
    internal static async Task<Func<string, byte[]>> LifeBeforeAsync(Defect planted)
    {
        var files = new RecordingFiles(CrashRun.Formatted(new SeededEntropy(2)));
        IEntropy generations = CrashRun.GenerationsOf(files, planted, life: 2);
        await using (var disk = CrashRun.Open(files, planted, generations))
        {
            for (int i = 0; i < 20; i++)
            {
                TestShard shard = CrashRun.ShardOf(FirstOfLifeBefore + i, 700, FirstOfLifeBefore + i);
                Assert.True((await CrashRun.AppendAsync(disk, shard)).IsDone);
            }
        }

        DiskImage image = files.Now();
        return path => image.Names.ContainsKey(path) ? image.Read(path).ToArray() : [];
    }

    private static async Task<CrashStart> MakeAsync(string name, params DiskOrder[] orders)
    {
        var formatted = new CrashStart(name, CrashRun.Formatted(new SeededEntropy(1)), DiskDebt.None, 0);
        var run = new CrashRun(formatted, Defect.None);
        foreach (DiskOrder order in orders)
        {
            await run.DoAsync(order);
        }

        await run.DisposeAsync();
        return new CrashStart(name, run.Recorded.Now(), run.Debt, run.Made);
    }
}
