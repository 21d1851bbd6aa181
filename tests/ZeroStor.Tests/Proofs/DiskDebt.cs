using System.Collections.Immutable;
using System.IO.Hashing;
using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests.Proofs;

/// <summary>What a disk owes for a shard.</summary>
internal enum Fate
{
    /// <summary>It was acknowledged.</summary>
    There,

    /// <summary>Its end was acknowledged.</summary>
    Gone,

    /// <summary>Neither was yet, so both are right.</summary>
    Either,
}

/// <summary>All that a disk has promised by the answers it gave: what must be there, byte for byte, what must
/// not, and that there is nothing else. Never changed.</summary>
internal sealed record DiskDebt(
    ImmutableSortedDictionary<ShardName, (TestShard Shard, Fate Fate)> Shards, Tick Tick)
{
    private static readonly Comparer<ShardName> ByName = Comparer<ShardName>.Create(
        (a, b) => (a.Stripe.Value, a.Place).CompareTo((b.Stripe.Value, b.Place)));

    internal static DiskDebt None { get; } =
        new(ImmutableSortedDictionary.Create<ShardName, (TestShard, Fate)>(ByName), default);

    internal IEnumerable<TestShard> Of(Fate fate) =>
        Shards.Values.Where(s => s.Fate == fate).Select(s => s.Shard);

    internal DiskDebt With(Fate fate, params IEnumerable<TestShard> shards) => this with
    {
        Shards = Shards.SetItems(
            shards.Select(s => KeyValuePair.Create(s.Header.Name, (s, fate)))),
    };

    /// <summary>Equal hashes, equal debts.</summary>
    internal UInt128 Hash()
    {
        var hash = new XxHash128();
        Span<byte> entry = stackalloc byte[Id128.Bytes + 2];
        foreach ((ShardName name, (_, Fate fate)) in Shards)
        {
            Id128.Write(entry, name.Stripe.Value);
            entry[^2] = name.Place;
            entry[^1] = (byte)fate;
            hash.Append(entry);
        }

        hash.Append(BitConverter.GetBytes(Tick.Value));
        return hash.GetCurrentHashAsUInt128();
    }

    /// <summary>Holds the disk to it.</summary>
    /// <param name="disk">The disk.</param>
    /// <param name="mayLack">A read failed: what was acknowledged may be refused or not be seen, and the
    /// record of a drop not be seen, but nothing may read wrong.</param>
    /// <returns>The same with nothing left open: what is there is owed from now on.</returns>
    /// <exception cref="BrokenPromiseException">It is not kept.</exception>
    internal async Task<DiskDebt> CollectAsync(Disk disk, bool mayLack = false)
    {
        var found = new List<TestShard>();
        DiskDebt left = this;
        foreach ((TestShard shard, Fate fate) in Shards.Values)
        {
            bool isThere = await IsThereAsync(disk, shard, mayLack);
            BrokenPromiseException.Unless(
                isThere || fate != Fate.There || mayLack,
                Promise.AcknowledgedIsKept,
                $"{shard.Header.Stripe} was appended and is gone");
            BrokenPromiseException.Unless(
                !isThere || fate != Fate.Gone || mayLack,
                Promise.ReclaimedIsGone,
                $"{shard.Header.Stripe} was dropped and is there");
            if (isThere)
            {
                found.Add(shard);
            }

            if (fate == Fate.Either)
            {
                left = left.With(isThere ? Fate.There : Fate.Gone, shard);
            }
        }

        CheckLists(disk, found);
        BrokenPromiseException.Unless(
            disk.HighestTick >= Tick, Promise.AcknowledgedIsKept, $"it forgot tick {Tick.Value}");
        return left;
    }

    // Whole, or not at all.
    private static async Task<bool> IsThereAsync(Disk disk, TestShard shard, bool mayBeBad)
    {
        ShardReadAnswer answer = await disk.ReadAsync(
            shard.Header.Stripe, shard.Header.Place, 0, shard.Payload.Length, true, CancellationToken.None);
        bool isRight = answer.Kind == ErrorKind.NotFound
            || (mayBeBad && answer.Kind == ErrorKind.Corrupt)
            || (answer.IsDone
                && answer.Header == shard.Header
                && answer.Payload.Span.SequenceEqual(shard.Payload));
        answer.Payload.Release();
        BrokenPromiseException.Unless(
            isRight, Promise.ReadsAreRight, $"{shard.Header.Stripe} reads as {answer.Kind}: {answer.Detail}");
        return answer.IsDone;
    }

    // The lists tell what the reads told and no more, and the digests are those of the lists.
    private static void CheckLists(Disk disk, List<TestShard> found)
    {
        ShardEntry[] listed = [.. disk.Places().Select(p => p.Group).Distinct()
            .SelectMany(g => disk.List(g, default, int.MaxValue))];
        BrokenPromiseException.Unless(
            listed.Select(e => new ShardName(e.Stripe, e.Place)).ToHashSet()
                .SetEquals(found.Select(s => s.Header.Name)) && listed.Length == found.Count,
            Promise.NothingElseIsSeen,
            $"it lists {listed.Length} shards and gives {found.Count}");
        BrokenPromiseException.Unless(
            disk.Digests().SequenceEqual(DigestsOf(listed)) && disk.Report().Shards == listed.Length,
            Promise.NothingElseIsSeen,
            "its digests are not those of its lists");
    }

    private static IEnumerable<BucketDigest> DigestsOf(IEnumerable<ShardEntry> listed) => listed
        .GroupBy(e => (e.Group, Bucket: BucketDigest.BucketOf(e.Stripe)))
        .OrderBy(g => g.Key)
        .Select(g => new BucketDigest(
            g.Key.Group,
            g.Key.Bucket,
            g.Count(),
            g.Aggregate((UInt128)0, (sum, e) => unchecked(sum + HashOf(e)))));

    private static UInt128 HashOf(ShardEntry entry)
    {
        byte[] bytes = new byte[Id128.Bytes + Sum128.Bytes];
        Id128.Write(bytes, entry.Stripe.Value);
        entry.SumsDigest.Write(bytes.AsSpan(Id128.Bytes));
        return XxHash128.HashToUInt128(bytes);
    }
}
