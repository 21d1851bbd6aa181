using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>The proof of promise 4 on a device that forgets what it said was written: a block of a volume
/// shows what it held at any earlier time, or in the life of the device before. Whether that is so when the
/// disk is opened or happens under an open one: a read is right or refuses.</summary>
internal static class StaleBlocks
{
    internal static Task ProveAsync(int seed, Defect planted) => CountAsync(seed, planted);

    /// <returns>How many stale blocks there were.</returns>
    internal static async Task<int> CountAsync(int seed, Defect planted)
    {
        Func<string, byte[]> lifeBefore = await CrashStart.LifeBeforeAsync(planted);
        CrashStart[] starts = await CrashStart.AllAsync();
        var run = await WithAnUndoneBatchAsync(starts[seed % starts.Length], planted);
        DiskImage end = run.Recorded.Now();
        int count = 0;
        foreach ((string path, long at, byte[] stale) in StaleOf(run.Recorded, lifeBefore))
        {
            count++;
            await ProveAsync(run.Debt, end, path, at, stale, planted);
        }

        return count;
    }

    // Where a batch found no room, the next one lies in its place: the one block that is ever written twice
    // with records.
    private static async Task<CrashRun> WithAnUndoneBatchAsync(CrashStart start, Defect planted)
    {
        FaultyFiles? faulty = null;
        var run = new CrashRun(start, planted, real => faulty = new FaultyFiles(real));
        await run.DoAsync(DiskOrder.Append);


        // The footer of a volume that is sealed on the way may be the first that finds no room, and does without.
        for (int tries = 0; run.Refusals.Count == 0 && tries < 3; tries++)
        {
            faulty!.AfterWrite = _ => OsFile.NoSpace;
            await run.DoAsync(DiskOrder.Append);
        }

        Assert.All(run.Refusals, r => Assert.Equal(ErrorKind.DiskFull, r.Kind));
        Assert.NotEmpty(run.Refusals);
        await run.DoAsync(DiskOrder.Append);
        await run.DoAsync(DiskOrder.Drop);
        run.Disk.Abandon();
        return run;
    }

    // Each block of each volume that is there, with all that it ever held but for what it holds.
    private static IEnumerable<(string Path, long At, byte[] Stale)> StaleOf(
        RecordingFiles files, Func<string, byte[]> lifeBefore)
    {
        DiskImage end = files.Now();
        DiskImage[] past = [.. Past(files).Append(end)];
        foreach (string path in end.Names.Keys.Where(n => n.EndsWith(".vol", StringComparison.Ordinal)))
        {
            int bytes = end.Read(path).Length;
            byte[][] lives =
            [
                .. past.Where(i => i.Names.ContainsKey(path)).Select(i => i.Read(path).ToArray()),
                lifeBefore(path),
            ];
            for (int at = 0; at < bytes; at += RecordFormat.BlockBytes)
            {
                int length = Math.Min(RecordFormat.BlockBytes, bytes - at);
                byte[] now = BlockOf(end.Read(path), at, length);
                foreach (byte[] stale in lives.Select(l => BlockOf(l, at, length))
                    .DistinctBy(Convert.ToHexString))
                {
                    if (!stale.AsSpan().SequenceEqual(now))
                    {
                        yield return (path, at, stale);
                    }
                }
            }
        }
    }

    private static IEnumerable<DiskImage> Past(RecordingFiles files)
    {
        DiskImage image = files.Start;
        yield return image;
        foreach (FileChange change in files.Journal)
        {
            yield return image = image.With([change]);
        }
    }

    private static byte[] BlockOf(ReadOnlySpan<byte> file, int at, int length)
    {
        byte[] block = new byte[length];
        if (at < file.Length)
        {
            file[at..Math.Min(file.Length, at + length)].CopyTo(block);
        }

        return block;
    }

    private static async Task ProveAsync(
        DiskDebt debt, DiskImage image, string path, long at, byte[] stale, Defect planted)
    {
        try
        {
            var files = new RecordingFiles(image);
            Disk open = CrashRun.Open(files, planted);
            files.Overwrite(path, at, stale);
            await debt.CollectAsync(open, mayLack: true);
            open.Abandon();

            files = new RecordingFiles(image);
            files.Overwrite(path, at, stale);
            Disk opened = CrashRun.Open(files, planted);
            await debt.CollectAsync(opened, mayLack: true);
            opened.Abandon();
        }
        catch (BrokenPromiseException e)
        {
            throw new BrokenPromiseException(e.Promise, $"a stale block at {at} of {path}: {e.How}");
        }
    }
}
