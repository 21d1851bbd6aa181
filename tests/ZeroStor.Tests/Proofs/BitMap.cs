using Microsoft.Extensions.Time.Testing;
using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>A small disk that was closed in order, and what must hold whatever is changed on it. Volume 1 was
/// compacted away; 2 holds deletes of it, a copy, extensions, a shard that lives and one that is deleted, and
/// a footer; 3 holds a shard, a delete of one in 2 and a drop of one in 3.
/// <para>What runs for a change is what may come out differently: opening and reading are functions of the
/// bytes that they read, so one that reads none of those changed on the sound disk does what it did there.
/// The check reads all of a volume, and of other volumes nothing that this one holds.</para></summary>
internal sealed class BitMap
{
    internal const string Folder = CrashRun.Folder;

    // Some payloads are written from where they lie, with a gap before them, and some are not.
    private static readonly DiskOptions Options = CrashRun.Tiny with { InPlaceBytes = 165 };
    private static readonly BufferPool Pool = new();

    private readonly List<TestShard> _living = [];
    private readonly List<TestShard> _gone = [];
    private readonly Dictionary<ShardName, (string Path, long At, RecordHeader Header)> _recordOf = [];
    private readonly Dictionary<ShardName, (string Path, long At, RecordHeader Header)> _deleteOf = [];
    private readonly HashSet<(string Path, long Byte)> _readByOpen = [];
    private readonly Dictionary<(string Path, long Byte), HashSet<ShardName>> _readFor = [];

    internal DiskImage Sound { get; private set; } = DiskImage.Empty;

    /// <summary>Where records lie, in all volumes.</summary>
    internal List<(string Path, long At, RecordHeader Header)> Records { get; } = [];

    internal BitMapTally Tally { get; } = new();

    internal static async Task<BitMap> MakeAsync()
    {
        var map = new BitMap();
        await map.FillAsync();
        map.FindRecords();
        await map.NoteReadsAsync();
        return map;
    }

    /// <summary>One bit.</summary>
    internal async Task ProveBitAsync(string path, long at, int bit)
    {
        RecordingFiles Changed()
        {
            var files = new RecordingFiles(Sound);
            files.Overwrite(path, at, [(byte)(Sound.Read(path)[(int)at] ^ (1 << bit))]);
            return files;
        }

        bool isOpening = _readByOpen.Contains((path, at));
        HashSet<ShardName>? read = _readFor.GetValueOrDefault((path, at));
        if (isOpening || read is not null)
        {
            await ProveReadsAsync(
                Changed,
                isOpening ? null : read,
                (p, from, bytes) => p == path && at >= from && at < from + bytes);
        }

        ProveCheck(Changed(), path, IsPadding(path, at));
    }

    /// <summary>Any change.</summary>
    internal async Task ProveAsync(Func<RecordingFiles> changed, string? path, Func<string, long, long, bool> touches)
    {
        await ProveReadsAsync(changed, null, touches);
        ProveCheck(changed(), path, mayBeMissed: false);
    }

    private async Task FillAsync()
    {
        var files = new RecordingFiles(CrashRun.Formatted(new SeededEntropy(1)));
        await using Disk disk = Disk.Open(
            Folder, Options, new SeededEntropy(2), new FakeTimeProvider(), files, Pool);
        TestShard[] shards =
            [.. Enumerable.Range(1, 8).Select(i => CrashRun.ShardOf(i, i is 2 or 3 ? 900 : 160 + i, i))];
        var extension = new RecordExtension((ExtensionType)9, new byte[] { 1, 2, 3, 4, 5 });
        shards[0] = shards[0] with { Extensions = [extension] };
        foreach (TestShard shard in shards[..4])
        {
            await AppendAsync(disk, shard);
        }

        await ReclaimAsync(disk, shards[1], shards[2]);
        await disk.CompactAsync(CancellationToken.None);
        await AppendAsync(disk, shards[4]);
        await AppendAsync(disk, shards[5]);
        await AppendAsync(disk, shards[6]);
        await ReclaimAsync(disk, shards[4]);
        await AppendAsync(disk, shards[7]);
        Assert.True((await disk.DropAsync([shards[7].Header.Name], CancellationToken.None)).IsDone);
        await disk.DisposeAsync();
        Sound = files.Now();
        _gone.AddRange([shards[1], shards[2], shards[4], shards[7]]);
        _living.AddRange([shards[0], shards[3], shards[5], shards[6]]);
    }

    private static async Task AppendAsync(Disk disk, TestShard shard)
    {
        BufferSlice payload = Pool.RentAnywhere(shard.Payload.Length);
        shard.Payload.CopyTo(payload.Span);
        HomeAnswer answer = await disk.AppendAsync(shard.Header, shard.Extensions, payload, CancellationToken.None);
        payload.Release();
        Assert.True(answer.IsDone, answer.Detail);
    }

    private static async Task ReclaimAsync(Disk disk, params TestShard[] dead) => Assert.True(
        (await disk.ReclaimAsync([.. dead.Select(s => s.Header.Content)], CancellationToken.None)).IsDone);

    private void FindRecords()
    {
        var files = new RecordingFiles(Sound);
        using var superblock = SuperblockFile.Open(files, Folder, FileUse.Read);
        foreach (uint number in DiskFolder.ListVolumes(files, Folder))
        {
            string path = DiskFolder.VolumePath(Folder, number);
            using IDiskFile file = files.Open(path, FileUse.Read);
            UInt128 generation = Volume.ReadHeader(file, superblock.Current, number)!.Value;
            VolumeScan scan = VolumeScanner.Scan(file, number, generation, file.Identify().Length, long.MaxValue);
            Records.AddRange(scan.Records.Select(r => (path, r.At.Offset, r.Header)));
        }

        foreach (var record in Records)
        {
            if (record.Header.Kind == RecordKind.Shard)
            {
                _recordOf[record.Header.Shard] = record;
            }

            foreach (TestShard shard in _gone.Where(s => record.Header.Kind == RecordKind.Delete
                && (record.Header.Content == s.Header.Content || record.Header.Shard == s.Header.Name)))
            {
                _deleteOf[shard.Header.Name] = record;
            }
        }
    }

    private async Task NoteReadsAsync()
    {
        var noted = new NotingFiles(new RecordingFiles(Sound));
        using SmallDisk disk = SmallDisk.Open(noted);
        _readByOpen.UnionWith(noted.Read);
        foreach (TestShard shard in _living.Concat(_gone))
        {
            noted.Read.Clear();
            Assert.Equal(_living.Contains(shard), await IsThereAsync(disk, shard));
            foreach ((string, long) at in noted.Read)
            {
                if (!_readFor.TryGetValue(at, out HashSet<ShardName>? names))
                {
                    _readFor.Add(at, names = []);
                }

                names.Add(shard.Header.Name);
            }
        }
    }

    // On a device of its own, as what was found bad is remembered, and opening may change it.
    private async Task ProveReadsAsync(
        Func<RecordingFiles> changed, HashSet<ShardName>? names, Func<string, long, long, bool> touches)
    {
        Tally.Opened++;
        try
        {
            using SmallDisk disk = SmallDisk.Open(changed());
            bool isHit = false;
            foreach (TestShard shard in _living.Concat(_gone).Where(s => names?.Contains(s.Header.Name) ?? true))
            {
                await ProveReadAsync(disk, shard, touches);
                isHit |= _living.Contains(shard) && IsHit(shard, touches);
            }

            if (isHit)
            {
                using SmallDisk scrubbed = SmallDisk.Open(changed());
                foreach (TestShard shard in _living.Where(s => IsHit(s, touches)))
                {
                    await ProveScrubAsync(scrubbed, shard);
                }
            }
        }
        catch (ZeroStorException)
        {
            Tally.Refused++;
        }
    }

    private async Task ProveReadAsync(SmallDisk disk, TestShard shard, Func<string, long, long, bool> touches)
    {
        bool isThere = await IsThereAsync(disk, shard);
        if (_living.Contains(shard))
        {
            BrokenPromiseException.Unless(
                isThere || IsTouched(_recordOf[shard.Header.Name], touches)
                    || IsHeaderTouched(_recordOf[shard.Header.Name].Path, touches),
                Promise.AcknowledgedIsKept, $"{shard.Header.Stripe} was not touched and is gone");
            return;
        }

        // A device that loses the record of a delete brings back what it killed: the census reclaims it
        // again.
        BrokenPromiseException.Unless(
            !isThere || IsTouched(_deleteOf[shard.Header.Name], touches)
                || IsHeaderTouched(_deleteOf[shard.Header.Name].Path, touches),
            Promise.ReclaimedIsGone, $"{shard.Header.Stripe} is deleted and there");
        Tally.CameBack += isThere ? 1 : 0;
    }

    private async Task ProveScrubAsync(SmallDisk disk, TestShard shard)
    {
        if (!disk.TryFind(shard.Header.Name, out HeldShard held))
        {
            // Opening saw that it is not there, so digests lack it and the sweep finds it.
            Tally.NotHeld++;
            return;
        }

        ScrubWindow window = await disk.Scrub.FetchAsync([held], CancellationToken.None);
        (ScrubTally read, _) = await disk.Scrub.CheckAsync(window, CancellationToken.None);
        BrokenPromiseException.Unless(
            read.Bad == 1,
            Promise.ReadsAreRight,
            $"damage of {shard.Header.Stripe} is not found by a scrub");
        Tally.Scrubbed++;
    }

    // Right or refused: anything else is a wrong answer.
    private static async Task<bool> IsThereAsync(SmallDisk disk, TestShard shard)
    {
        ShardReadAnswer answer = await disk.Reader.ReadAsync(
            shard.Header.Stripe, shard.Header.Place, 0, shard.Payload.Length, true, CancellationToken.None);
        bool isRight = answer.Kind is ErrorKind.NotFound or ErrorKind.Corrupt
            || (answer.IsDone
                && answer.Header == shard.Header
                && answer.Payload.Span.SequenceEqual(shard.Payload)
                && answer.Extensions.Length == shard.Extensions.Length
                && answer.Extensions.Zip(shard.Extensions).All(
                    e => e.First.Type == e.Second.Type && e.First.Value.Span.SequenceEqual(e.Second.Value.Span)));
        answer.Payload.Release();
        BrokenPromiseException.Unless(
            isRight, Promise.ReadsAreRight, $"{shard.Header.Stripe} reads as {answer.Kind}: {answer.Detail}");
        return answer.IsDone;
    }

    private void ProveCheck(RecordingFiles files, string? path, bool mayBeMissed)
    {
        Tally.Tried++;
        int damage = 0;
        int notes = 0;
        try
        {
            using DiskCheck check = DiskCheck.Open(files, Folder);
            string? name = Path.GetFileName(path);
            uint number = DiskFolder.ListVolumes(files, Folder).Find(n => DiskFolder.VolumeName(n) == name);
            if (number > 0)
            {
                check.Run(number, Count);
            }
            else
            {
                check.Run(Count, CancellationToken.None);
            }
        }
        catch (ZeroStorException)
        {
            damage++;
        }

        Tally.Damage += damage > 0 ? 1 : 0;
        Tally.Notes += damage == 0 && notes > 0 ? 1 : 0;
        Tally.Missed += damage + notes == 0 ? 1 : 0;
        BrokenPromiseException.Unless(
            damage + notes > 0 || mayBeMissed, Promise.ReadsAreRight, "the check does not find it");

        void Count(DiskFinding finding)
        {
            damage += finding.IsDamage ? 1 : 0;
            notes += finding.IsDamage ? 0 : 1;
        }
    }

    // Behind the payload up to the next multiple of 8: nothing is read from it.
    private bool IsPadding(string path, long at) => Records.Exists(
        r => r.Path == path && at >= r.At + r.Header.PayloadOffset + r.Header.PayloadBytes
            && at < r.At + r.Header.RecordBytes);

    // So that what is read of it is not what was written.
    private bool IsHit(TestShard shard, Func<string, long, long, bool> touches)
    {
        (string path, long at, RecordHeader header) = _recordOf[shard.Header.Name];
        return touches(path, at, header.HeaderBytes + header.ExtensionBytes)
            || touches(path, at + header.PayloadOffset, header.PayloadBytes);
    }

    // The padding counts: a record that is cut there is none.
    private static bool IsTouched(
        (string Path, long At, RecordHeader Header) record, Func<string, long, long, bool> touches) =>
        touches(record.Path, record.At, record.Header.RecordBytes);

    // Both copies: one is enough.
    private static bool IsHeaderTouched(string path, Func<string, long, long, bool> touches) =>
        touches(path, 0, Volume.HeaderFieldBytes)
        && touches(path, RecordFormat.BlockBytes, Volume.HeaderFieldBytes);
}

/// <summary>What a bit map tried and saw.</summary>
internal sealed class BitMapTally
{
    /// <summary>Changes.</summary>
    internal int Tried { get; set; }

    /// <summary>Of them, with which the disk was opened and read.</summary>
    internal int Opened { get; set; }

    /// <summary>Openings that were refused.</summary>
    internal int Refused { get; set; }

    /// <summary>Live shards hit and found by a scrub.</summary>
    internal int Scrubbed { get; set; }

    /// <summary>Live shards hit that opening no longer holds.</summary>
    internal int NotHeld { get; set; }

    /// <summary>Deleted shards that came back because the record of their delete was hit.</summary>
    internal int CameBack { get; set; }

    /// <summary>Changes that the check calls damage.</summary>
    internal int Damage { get; set; }

    /// <summary>Changes that it only tells.</summary>
    internal int Notes { get; set; }

    /// <summary>Changes that it does not tell.</summary>
    internal int Missed { get; set; }

    public override string ToString() =>
        $"{Tried} tried, {Opened} opened ({Refused} refused), 0 wrong answers, live shards hit: "
        + $"{Scrubbed} found by scrub, {NotHeld} no longer held; {CameBack} deleted shards back; "
        + $"check: {Damage} damage, {Notes} notes, {Missed} not told";
}
