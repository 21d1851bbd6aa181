using CsCheck;
using ZeroStor.Grains;

namespace ZeroStor.Cluster.Tests;

/// <summary>What a silo remembers of versions: the last that it saw, never one that it saw deleted.</summary>
public sealed class SeenVersionsTests
{
    private static readonly VaultId Vault = new(7);

    [Fact]
    public void The_version_that_was_seen_last_is_found_by_vault_and_key()
    {
        var seen = new SeenVersions();
        Assert.Null(seen.Find(Vault, "a"));
        seen.Saw(Vault, Row("a", 3), seen.Look());
        seen.Put(Vault, Row("b", 4));
        Assert.Equal(3, seen.Find(Vault, "a")!.Seq);
        Assert.Equal(4, seen.Find(Vault, "b")!.Seq);
        Assert.Null(seen.Find(new VaultId(8), "a"));
        seen.Put(Vault, Row("a", 5));
        Assert.Equal(5, seen.Find(Vault, "a")!.Seq);
    }

    [Fact]
    public void A_deleted_key_does_not_come_back_by_what_was_under_way_or_repeated()
    {
        var seen = new SeenVersions();
        long look = seen.Look();
        seen.Put(Vault, Row("a", 3));
        seen.Deleted(Vault, "a", 4);
        seen.Saw(Vault, Row("a", 3), look);
        seen.Put(Vault, Row("a", 3));
        Assert.Null(seen.Find(Vault, "a"));

        // A put after it does, and the delete said once more takes nothing of that away.
        seen.Put(Vault, Row("a", 5));
        seen.Deleted(Vault, "a", 4);
        Assert.Equal(5, seen.Find(Vault, "a")!.Seq);
    }

    [Fact]
    public void A_version_that_has_its_key_again_lets_none_back_that_was_deleted_after_it()
    {
        var seen = new SeenVersions();
        seen.Put(Vault, Row("a", 3));
        seen.Put(Vault, Row("a", 4));
        seen.Deleted(Vault, "a", 5);
        seen.Saw(Vault, Row("a", 3), seen.Look());
        Assert.Equal(3, seen.Find(Vault, "a")!.Seq);
        seen.Put(Vault, Row("a", 4));
        Assert.Equal(3, seen.Find(Vault, "a")!.Seq);
        seen.Put(Vault, Row("a", 6));
        Assert.Equal(6, seen.Find(Vault, "a")!.Seq);
    }

    [Fact]
    public void A_key_that_another_silo_deleted_is_gone_once_a_look_finds_none()
    {
        var seen = new SeenVersions();
        long before = seen.Look();
        seen.Put(Vault, Row("a", 3));
        seen.SawNone(Vault, "a", before);
        Assert.Equal(3, seen.Find(Vault, "a")!.Seq);
        seen.SawNone(Vault, "a", seen.Look());
        Assert.Null(seen.Find(Vault, "a"));
        seen.Saw(Vault, Row("a", 3), before);
        Assert.Null(seen.Find(Vault, "a"));
    }

    [Fact]
    public void A_delete_without_an_answer_counts_as_one()
    {
        var seen = new SeenVersions();
        seen.Put(Vault, Row("a", 3));
        seen.PerhapsDeleted(Vault, "a");
        Assert.Null(seen.Find(Vault, "a"));
        seen.Put(Vault, Row("a", 3));
        Assert.Null(seen.Find(Vault, "a"));
        seen.Saw(Vault, Row("a", 3), seen.Look());
        Assert.Equal(3, seen.Find(Vault, "a")!.Seq);
    }

    [Fact]
    public void A_catalog_that_went_back_is_believed_when_it_was_asked_afterwards()
    {
        var seen = new SeenVersions();
        seen.Put(Vault, Row("a", 9));
        seen.Saw(Vault, Row("a", 5), seen.Look());
        Assert.Equal(5, seen.Find(Vault, "a")!.Seq);
    }

    [Fact]
    public void It_keeps_to_its_bytes_and_forgets_what_nobody_asked_for_longest()
    {
        var seen = new SeenVersions(maxBytes: 100_000);
        seen.SawPage(new ContentId(1), 0, new byte[40_000]);
        for (int i = 0; i < 1000; i++)
        {
            seen.Put(Vault, Row($"key{i}", i + 1, manifestBytes: 500));
            Assert.NotNull(seen.FindPage(new ContentId(1), 0));
            Assert.InRange(seen.Bytes, 1, 100_000);
        }

        Assert.Null(seen.Find(Vault, "key0"));
        Assert.NotNull(seen.Find(Vault, "key999"));
        Assert.Null(seen.FindPage(new ContentId(1), 1));
        seen.SawPage(new ContentId(2), 0, new byte[200_000]);
        Assert.Equal(0, seen.Bytes);
        Assert.Null(seen.FindPage(new ContentId(2), 0));
    }

    // Heads, puts, repeated puts and deletes of a few keys overlap in any order, in a memory that holds hardly one
    // of them. A key's truth changes at one moment between the beginning and the end of each.
    [Fact]
    public void In_any_order_of_events_nothing_comes_back_that_was_seen_deleted() =>
        Gen.Int[0, 1_000_000].Sample(seed => Assert.True(Replay(new Random(seed))), iter: 2000);

    private static bool Replay(Random random)
    {
        var seen = new SeenVersions(maxBytes: 1000);
        var truth = new Dictionary<string, VersionRow?>();
        var deleted = new Dictionary<string, long>();
        var puts = new List<VersionRow>();
        var underWay = new List<Action>();
        long seq = 0;
        for (int step = 0; step < 60; step++)
        {
            string key = $"{random.Next(3)}";
            long look = seen.Look();
            VersionRow? now = truth.GetValueOrDefault(key);
            switch (random.Next(5))
            {
                case 0:
                    VersionRow put = Row(key, ++seq);
                    truth[key] = put;
                    puts.Add(put);
                    underWay.Add(() => seen.Put(Vault, put));
                    break;
                case 1 when puts.Count > 0:
                    VersionRow again = puts[random.Next(puts.Count)];
                    underWay.Add(() => seen.Put(Vault, again));
                    break;
                case 2 when now is not null:
                    truth[key] = null;
                    long at = ++seq;
                    underWay.Add(() =>
                    {
                        seen.Deleted(Vault, key, at);
                        deleted[key] = Math.Max(at, deleted.GetValueOrDefault(key));
                    });
                    break;
                default:
                    underWay.Add(now is null
                        ? () => seen.SawNone(Vault, key, look)
                        : () => seen.Saw(Vault, now, look));
                    break;
            }

            while (underWay.Count > 0 && random.Next(2) == 0)
            {
                int which = random.Next(underWay.Count);
                underWay[which]();
                underWay.RemoveAt(which);
                if (deleted.Any(d => seen.Find(Vault, d.Key) is { } found && found.Seq <= d.Value))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static VersionRow Row(string key, long seq, int manifestBytes = 10) => new()
    {
        Key = key,
        Seq = seq,
        Version = new VersionId((UInt128)seq),
        Size = 1,
        ETag = $"etag{seq}",
        Modified = DateTimeOffset.UnixEpoch,
        Manifest = new byte[manifestBytes],
    };
}
