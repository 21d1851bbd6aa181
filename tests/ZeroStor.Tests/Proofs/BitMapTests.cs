using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>Every damage there is of a small disk: reads are right or refuse, what is untouched reads,
/// nothing that is deleted comes back unless its delete was hit, and check and scrub find it.</summary>
public sealed class BitMapTests
{
    private const int SectorBytes = 512;

    [Fact]
    public Task Every_flipped_bit_is_refused_and_found() => ProveAsync(async map =>
    {
        foreach ((string path, int length) in Files(map))
        {
            for (int at = 0; at < length; at++)
            {
                for (int bit = 0; bit < 8; bit++)
                {
                    await NameAsync($"bit {bit} of byte {at} of {path}", () => map.ProveBitAsync(path, at, bit));
                }
            }
        }

        Assert.InRange(map.Tally.Missed, 0, 8 * 7 * map.Records.Count);
    });

    [Fact]
    public Task Every_zeroed_sector_is_refused_and_found() => ProveAsync(async map =>
    {
        foreach ((string path, int length) in Files(map))
        {
            for (int at = 0; at < length; at += SectorBytes)
            {
                byte[] zeros = new byte[Math.Min(SectorBytes, length - at)];
                if (!map.Sound.Read(path).Slice(at, zeros.Length).SequenceEqual(zeros))
                {
                    await ProveOverwrittenAsync(map, path, at, zeros, $"zeros at {at} of {path}");
                }
            }
        }
    });

    [Fact]
    public Task Every_cut_is_refused_and_found() => ProveAsync(async map =>
    {
        foreach ((string path, int length) in Files(map))
        {
            for (int at = 0; at < length; at++)
            {
                RecordingFiles Changed()
                {
                    var files = new RecordingFiles(map.Sound);
                    using IDiskFile file = files.Open(path, FileUse.ReadWrite);
                    file.Truncate(at);
                    return files;
                }

                await NameAsync($"{path} cut at {at}", () => map.ProveAsync(
                    Changed, path, (p, from, bytes) => p == path && from + bytes > at));
            }
        }
    });

    [Fact]
    public Task Every_pair_that_changed_places_is_refused_and_found() => ProveAsync(async map =>
    {
        for (int i = 0; i < map.Records.Count; i++)
        {
            for (int j = i + 1; j < map.Records.Count; j++)
            {
                var (a, b) = (map.Records[i], map.Records[j]);
                int bytes = Math.Min(a.Header.RecordBytes, b.Header.RecordBytes);
                await ProveSwappedAsync(map, (a.Path, a.At), (b.Path, b.At), bytes);
            }
        }

        string superblock = Path.Combine(BitMap.Folder, Superblock.FileName);
        await ProveSwappedAsync(map, (superblock, 0), (superblock, Superblock.SlotBytes), Superblock.SlotBytes);
        string[] volumes = [.. Files(map).Select(f => f.Path).Where(IsVolume)];
        RecordingFiles Changed()
        {
            var files = new RecordingFiles(map.Sound);
            files.Rename(volumes[0], "/device/aside");
            files.Rename(volumes[1], volumes[0]);
            files.Rename("/device/aside", volumes[1]);
            return files;
        }

        await NameAsync("volumes", () => map.ProveAsync(Changed, null, (p, _, _) => IsVolume(p)));
    });

    private static async Task ProveAsync(Func<BitMap, Task> prove) => await Task.Run(async () =>
    {
        BitMap map = await BitMap.MakeAsync();
        Assert.Equal(2, Files(map).Count(f => IsVolume(f.Path)));
        await prove(map);
        Assert.True(map.Tally.Tried > 0);
        TestContext.Current.TestOutputHelper!.WriteLine(map.Tally.ToString());
    });

    private static bool IsVolume(string path) => path.EndsWith(".vol", StringComparison.Ordinal);

    private static List<(string Path, int Length)> Files(BitMap map) =>
        [.. map.Sound.Names.Keys.Select(p => (p, map.Sound.Read(p).Length))];

    private static Task ProveSwappedAsync(BitMap map, (string Path, long At) a, (string Path, long At) b, int bytes)
    {
        byte[] first = map.Sound.Read(a.Path).Slice((int)a.At, bytes).ToArray();
        byte[] second = map.Sound.Read(b.Path).Slice((int)b.At, bytes).ToArray();
        RecordingFiles Changed()
        {
            var files = new RecordingFiles(map.Sound);
            files.Overwrite(a.Path, a.At, second);
            files.Overwrite(b.Path, b.At, first);
            return files;
        }

        return NameAsync($"{a} and {b}", () => map.ProveAsync(
            Changed,
            a.Path == b.Path ? a.Path : null,
            (p, from, length) => Overlaps(p, from, length, a, bytes) || Overlaps(p, from, length, b, bytes)));
    }

    private static Task ProveOverwrittenAsync(BitMap map, string path, long at, byte[] bytes, string what)
    {
        RecordingFiles Changed()
        {
            var files = new RecordingFiles(map.Sound);
            files.Overwrite(path, at, bytes);
            return files;
        }

        return NameAsync(what, () => map.ProveAsync(
            Changed, path, (p, from, length) => Overlaps(p, from, length, (path, at), bytes.Length)));
    }

    private static bool Overlaps(string path, long from, long length, (string Path, long At) changed, int bytes) =>
        path == changed.Path && from < changed.At + bytes && changed.At < from + length;

    private static async Task NameAsync(string what, Func<Task> prove)
    {
        try
        {
            await prove();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new InvalidOperationException($"{what}: {e.Message}", e);
        }
    }
}
