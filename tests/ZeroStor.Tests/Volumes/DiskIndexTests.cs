using System.Collections.Immutable;
using System.IO.Hashing;
using ZeroStor.Tests.Proofs;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Volumes;

/// <summary>What a disk tells of its shards against a plain dictionary, while volumes fill, get their
/// footers, are compacted and opened again.</summary>
public sealed class DiskIndexTests
{
    private static readonly GroupId[] Groups = [new(3), new(4), new(9)];

    [Theory]
    [InlineData(ulong.MaxValue, 25)]
    [InlineData(0x0300_0001_0000_0000ul, 10)]
    [InlineData(0ul, 10)]
    public Task Digests_lists_and_reads_are_those_of_a_dictionary_however_hashes_collide(
        ulong mask, int seeds) =>
        Seeds.ForEachAsync(seeds, async seed =>
        {
            DiskOptions options = DiskModel.Tiny with { Hash = n => ShardFinder.HashOf(n) & mask };
            await using var bed = new DiskBed(options, seed, new MemoryFiles(seed)) { LeavesDamage = true };
            var model = new Model(bed, seed);
            for (int step = 0; step < 80; step++)
            {
                await model.StepAsync();
            }

            await model.EndAsync();
        });

    [Fact]
    public async Task A_listing_during_seals_and_compactions_misses_nothing_and_tells_nothing_twice()
    {
        await using var bed = new DiskBed(DiskModel.Tiny, memory: new MemoryFiles(1));
        var stays = new List<TestShard>();
        ContentId dying = ContentId.New(new Tick(5), bed.Entropy);
        for (int i = 0; i < 30; i++)
        {
            stays.Add(await bed.PutNewAsync(900));
            await bed.PutNewAsync(2500, dying);
        }

        await bed.Disk.ReclaimAsync([dying], DiskBed.Cancel);
        ShardName[] expected = [.. stays.Select(s => s.Header.Name).OrderBy(n => n.Stripe)];
        async Task CompactAsync()
        {
            for (int round = 0; round < 20; round++)
            {
                await bed.PutNewAsync(3000, dying);
                await bed.Disk.ReclaimAsync([dying], DiskBed.Cancel);
                await bed.Disk.CompactAsync(DiskBed.Cancel);
            }
        }

        Task compacting = Task.Run(CompactAsync, DiskBed.Cancel);
        HashSet<ContentId> contents = [.. stays.Select(s => s.Header.Content)];
        do
        {
            Assert.Equal(expected, NamesOf(bed.Disk.Held(contents, default, int.MaxValue)));
            ShardName[] told = NamesOf(bed.Disk.List(DiskBed.Group, default, int.MaxValue));
            Assert.Equal(told.Distinct().Order(Comparer<ShardName>.Create(Compare)), told);
            Assert.Superset(expected.ToHashSet(), told.ToHashSet());
        }
        while (!compacting.IsCompleted);
        await compacting;
        Assert.Equal(expected, NamesOf(bed.Disk.List(DiskBed.Group, default, int.MaxValue)));
    }

    [Fact]
    public async Task A_page_of_a_group_reads_a_block_or_two_of_each_volume_that_holds_it()
    {
        await using var bed = new DiskBed(DiskBed.Small with { VolumeBytes = 200_000 });
        var mine = new List<TestShard>();
        for (int i = 0; i < 3; i++)
        {
            TestShard[] shards =
            [
                .. Enumerable.Range(0, 600)
                    .Select(n => InGroup(bed.NewShard(1), n % 2 == 0 ? Groups[0] : Groups[i])),
            ];
            await bed.PutAsOneBatchAsync(shards);
            mine.AddRange(shards.Where(s => s.Header.Group == Groups[2]));
        }

        await bed.PutNewAsync();
        await bed.ReopenAsync();
        StripeId[] stripes = [.. mine.Select(s => s.Header.Stripe).Order()];
        int reads = bed.Files.Count(FileCall.Read);
        ImmutableArray<ShardEntry> page = bed.Disk.List(Groups[2], stripes[150], 20);
        Assert.Equal(stripes[151..171], page.Select(e => e.Stripe));

        // The third volume alone holds the group.
        Assert.InRange(bed.Files.Count(FileCall.Read) - reads, 1, 2);
    }

    private static int Compare(ShardName a, ShardName b) =>
        a.Stripe != b.Stripe ? a.Stripe.CompareTo(b.Stripe) : a.Place.CompareTo(b.Place);

    private static ShardName[] NamesOf(ImmutableArray<ShardEntry> entries) =>
        [.. entries.Select(e => new ShardName(e.Stripe, e.Place))];

    private static TestShard InGroup(TestShard shard, GroupId group) =>
        shard with { Header = shard.Header with { Group = group } };

    private sealed class Model(DiskBed bed, int seed)
    {
        private readonly Random _random = new(seed);
        private readonly Dictionary<ShardName, TestShard> _held = [];
        private readonly Dictionary<ShardName, TestShard> _bad = [];
        private readonly List<TestShard> _dead = [];
        private readonly List<ContentId> _contents =
            [.. Enumerable.Range(0, 8).Select(_ => ContentId.New(new Tick(5), bed.Entropy))];

        internal async Task StepAsync()
        {
            switch (_random.Next(12))
            {
                case 0:
                    await ReclaimAsync(_contents[_random.Next(_contents.Count)]);
                    break;
                case 1:
                    await DropAsync();
                    break;
                case 2 or 3:
                    await SpoilAsync();
                    break;
                case 4:
                    await RepairAsync();
                    break;
                case 5:
                    await bed.Disk.CompactAsync(DiskBed.Cancel);
                    break;
                case 6:
                    // What was found bad may be found good again, until it is read.
                    await RepairAsync();
                    await (_random.Next(2) == 0 ? bed.ReopenAsync() : CrashAsync());
                    break;
                default:
                    await PutAsync();
                    break;
            }

            await VerifyAsync();
        }

        internal async Task EndAsync()
        {
            foreach (ContentId content in _contents)
            {
                await ReclaimAsync(content);
            }

            await VerifyAsync();
            Assert.Empty(bed.Disk.Digests());
            Assert.Empty(bed.Disk.Places());
            await bed.Disk.CompactAsync(DiskBed.Cancel);
            bed.Crash();
            Assert.Equal(0, bed.Disk.Report().Shards);
            Assert.Empty(bed.Disk.Places());
        }

        private Task CrashAsync()
        {
            bed.Crash();
            return Task.CompletedTask;
        }

        private async Task PutAsync()
        {
            var shards = new List<TestShard>();
            for (int i = _random.Next(1, 8); i > 0; i--)
            {
                TestShard shard = NewShard();
                bool isNew = !_held.ContainsKey(shard.Header.Name)
                    && !_bad.ContainsKey(shard.Header.Name)
                    && !shards.Exists(s => s.Header.Name == shard.Header.Name);
                if (isNew)
                {
                    shards.Add(shard);
                }
            }

            foreach (TestShard shard in shards)
            {
                await bed.PutAsync(shard);
                Assert.True((await bed.AppendAsync(shard)).IsDone);
                _held.Add(shard.Header.Name, shard);
                _dead.RemoveAll(d => d.Header.Name == shard.Header.Name);
            }
        }

        // Now and then another place of a stripe that is there, or one that died before.
        private TestShard NewShard()
        {
            if (_dead.Count > 0 && _random.Next(4) == 0)
            {
                return _dead[_random.Next(_dead.Count)];
            }

            TestShard shard = bed.NewShard(
                _random.Next(1500),
                (byte)_random.Next(3),
                _contents[_random.Next(_contents.Count)],
                tick: _random.Next(2) == 0 ? 10u : 5000u);
            TestShard[] all = [.. _held.Values];
            return all.Length == 0 || _random.Next(3) > 0
                ? InGroup(shard, Groups[_random.Next(Groups.Length)])
                : shard with
                {
                    Header = shard.Header with
                    {
                        Stripe = all[_random.Next(all.Length)].Header.Stripe,
                        Group = all[_random.Next(all.Length)].Header.Group,
                    },
                };
        }

        private async Task ReclaimAsync(ContentId content)
        {
            Assert.True((await bed.Disk.ReclaimAsync([content], DiskBed.Cancel)).IsDone);
            Kill(_held.Values.Concat(_bad.Values).Where(s => s.Header.Content == content));
        }

        private async Task DropAsync()
        {
            TestShard[] all = [.. _held.Values, .. _bad.Values, .. _dead];
            _random.Shuffle(all);
            TestShard[] some = all[..Math.Min(3, all.Length)];
            await bed.DropAsync(some);
            Kill(some);
        }

        private void Kill(IEnumerable<TestShard> shards)
        {
            foreach (TestShard shard in shards.ToArray())
            {
                if (_held.Remove(shard.Header.Name) || _bad.Remove(shard.Header.Name))
                {
                    _dead.Add(shard);
                }
            }
        }

        // Damage in header or payload that a read meets.
        private async Task SpoilAsync()
        {
            TestShard[] all = [.. _held.Values.Where(s => s.Payload.Length > 0)];
            if (all.Length == 0)
            {
                return;
            }

            TestShard victim = all[_random.Next(all.Length)];
            ShardLocation at = bed.Disk.Locate(victim.Header.Stripe, victim.Header.Place)!.Value;
            using (IDiskFile file = bed.Files.Open(Path.Combine(bed.Folder, at.File), FileUse.ReadWrite))
            {
                bool hasGap = victim.Payload.Length >= bed.Options.InPlaceBytes;
                long spot = at.Offset + (_random.Next(2) == 0 || hasGap ? 0 : -100);
                byte[] value = new byte[1];
                _ = file.Read(value, spot);
                file.Write([new byte[] { (byte)(value[0] ^ 8) }], spot);
                file.Sync();
            }

            Assert.Equal(ErrorKind.Corrupt, (await bed.ReadAsync(victim)).Kind);
            _held.Remove(victim.Header.Name);
            _bad.Add(victim.Header.Name, victim);
        }

        private async Task RepairAsync()
        {
            foreach ((ShardName name, TestShard shard) in _bad.ToArray())
            {
                await bed.PutAsync(shard);
                _bad.Remove(name);
                _held.Add(name, shard);
            }
        }

        private async Task VerifyAsync()
        {
            foreach (GroupId group in Groups)
            {
                int max = _random.Next(1, 12);
                Assert.Equal(
                    Entries(s => s.Header.Group == group),
                    Pages(after => bed.Disk.List(group, after, max)));
            }

            ContentId[] contents = [_contents[_random.Next(_contents.Count)], _contents[0]];
            int page = _random.Next(1, 12);
            Assert.Equal(
                Entries(s => contents.Contains(s.Header.Content)),
                Pages(after => bed.Disk.Held(contents, after, page)));
            Assert.Equal(NaiveDigests(), bed.Disk.Digests());
            Assert.Equal(_held.Count, bed.Disk.Report().Shards);
            Assert.Superset(
                _held.Values.Select(s => (s.Header.Group, s.Header.Place)).ToHashSet(),
                bed.Disk.Places().ToHashSet());
            foreach (TestShard shard in _held.Values.Where(_ => _random.Next(4) == 0))
            {
                await bed.AssertHoldsAsync(shard);
            }

            foreach (TestShard shard in _dead)
            {
                await bed.AssertLacksAsync(shard);
            }
        }

        private ShardEntry[] Entries(Func<TestShard, bool> isAsked) =>
        [
            .. _held.Values.Where(isAsked)
                .Select(s => new ShardEntry(
                    s.Header.Stripe, s.Header.Place, s.Header.Content, s.Header.SumsDigest, s.Header.Group))
                .OrderBy(e => e.Stripe)
                .ThenBy(e => e.Place),
        ];

        private static List<ShardEntry> Pages(Func<StripeId, ImmutableArray<ShardEntry>> next)
        {
            var told = new List<ShardEntry>();
            while (next(told.Count == 0 ? default : told[^1].Stripe) is { Length: > 0 } page)
            {
                told.AddRange(page);
            }

            return told;
        }

        private BucketDigest[] NaiveDigests() =>
        [
            .. _held.Values
                .GroupBy(s => (s.Header.Group, Bucket: BucketDigest.BucketOf(s.Header.Stripe)))
                .OrderBy(g => g.Key)
                .Select(g => new BucketDigest(
                    g.Key.Group,
                    g.Key.Bucket,
                    g.Count(),
                    g.Aggregate((UInt128)0, (sum, s) => unchecked(sum + HashOf(s.Header))))),
        ];

        private static UInt128 HashOf(ShardHeader header)
        {
            byte[] bytes = new byte[32];
            Id128.Write(bytes, header.Stripe.Value);
            header.SumsDigest.Write(bytes.AsSpan(16));
            return XxHash128.HashToUInt128(bytes);
        }
    }
}
