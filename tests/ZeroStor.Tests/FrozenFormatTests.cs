using System.Collections.Immutable;
using ZeroStor.Catalog;
using ZeroStor.Tests.Volumes;
using ZeroStor.Volumes;

namespace ZeroStor.Tests;

/// <summary>Format 1 is frozen: what the files in <c>tests/vectors/format1</c> hold is read by every version, and written
/// by those that write format 1. Whoever changes a format gives it another number, and leaves these files and what they
/// must be read as.</summary>
public sealed class FrozenFormatTests
{
    private static readonly Code Code = new(4, 2);

    private static readonly Dictionary<string, byte[]> Vectors = File
        .ReadLines(Checkout.PathOf("tests", "vectors", "format1", "catalog.txt"))
        .Select(line => line.Split(' '))
        .ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1]));

    private static readonly StripeRef[] Stripes =
    [
        new(new StripeId(Id(0x31)), new GroupId(7), new SealId(Id(0x31)), 1 << 20, (1 << 20) + 256, Sum128.Of([1])),
        new(new StripeId(Id(0x32)), new GroupId(300), new SealId(Id(0x33)), 1000, 1016, Sum128.Of([2])),
    ];

    private static readonly Manifest Manifest = new()
    {
        Version = new VersionId(Id(0x11)),
        Size = 200_000,
        ContentType = "text/plain",
        Headers = ImmutableSortedDictionary<string, string>.Empty.Add("cache-control", "no-store").Add("x-ü", "ß"),
        Contents =
        [
            new ContentRef
            {
                Id = new ContentId(Id(0x21)),
                WrappedKey = [.. Enumerable.Range(0, 98).Select(i => (byte)i)],
                Code = Code,
                Bytes = (1 << 20) + 1000,
                Stripes = [.. Stripes],
            },
        ],
        Extents = [new Extent(0, 1_000_000, 49_000), new Extent(0, 0, 151_000)],
    };

    private static readonly MapChange Map = new()
    {
        FromVersion = 41,
        Disks =
        [
            new DiskEntry
            {
                Id = new DiskId(300),
                Silo = "a",
                Labels = new Labels("eu", "vienna", "r1"),
                Path = "/srv/disk",
                State = DiskState.Draining,
                Claim = 9,
                IsManaged = true,
            },
        ],
        Classes = [new PlacementClass(new ClassId(2), Code, Spread.Rack)],
        Groups =
        [
            new PlacementGroup(
                new GroupId(5), new ClassId(2), 17, [new Place(new DiskId(300), []), new Place(new DiskId(1), [new DiskId(4)])]),
        ],
    };

    private static UInt128 Id(byte fill) => Id128.Read([.. Enumerable.Repeat(fill, Id128.Bytes)]);

    [Fact]
    public void What_the_catalog_keeps_is_written_as_ever()
    {
        var draft = new CommitDraft("a/key", DateTimeOffset.UnixEpoch.AddMilliseconds(1_234_567_890_123), Manifest);
        var applied = CommitResult.Applied(new VersionId(Id(0x11)), 12, "\"an etag\"");
        var written = new Dictionary<string, byte[]>
        {
            ["manifest"] = Manifest.Encode(),
            ["page"] = Manifest.EncodePage(Code, Stripes),
            ["draft"] = draft.Encode(),
            ["applied"] = CommitResult.Encode(applied),
            ["refused"] = CommitResult.Encode(new CommitAnswer(ErrorKind.PreconditionFailed, "why")),
            ["disk"] = MapCodec.Encode(Map.Disks[0]),
            ["class"] = MapCodec.Encode(Map.Classes[0]),
            ["group"] = MapCodec.Encode(Map.Groups[0]),
            ["change"] = MapCodec.Encode(Map),
        };
        Assert.Equal(
            Vectors.Select(v => $"{v.Key} {Convert.ToHexStringLower(v.Value)}"),
            written.Select(v => $"{v.Key} {Convert.ToHexStringLower(v.Value)}"));
    }

    [Fact]
    public void What_the_catalog_kept_is_read_as_ever()
    {
        Assert.Equal(Manifest.Encode(), Manifest.Decode(Vectors["manifest"]).Encode());
        Assert.Equal(Stripes, Manifest.DecodePage(Code, Vectors["page"]));
        Assert.Equal("a/key", CommitDraft.Decode(Vectors["draft"]).Key);
        CommitAnswer applied = CommitResult.Decode(Vectors["applied"]);
        Assert.Equal((new VersionId(Id(0x11)), 12, "\"an etag\""), (applied.Version, applied.Seq, applied.ETag));
        CommitAnswer refused = CommitResult.Decode(Vectors["refused"]);
        Assert.Equal((ErrorKind.PreconditionFailed, "why"), (refused.Kind, refused.Detail));
        Assert.Equal(Map.Disks[0], MapCodec.ReadDisk(Vectors["disk"]));
        Assert.Equal(Map.Classes[0], MapCodec.ReadClass(Vectors["class"]));
        Assert.Equal(MapCodec.Encode(Map.Groups[0]), MapCodec.Encode(MapCodec.ReadGroup(Vectors["group"])));
    }

    [Fact]
    public async Task A_disk_is_written_as_ever()
    {
        await using DiskBed bed = NewBed();
        await FillAsync(bed);
        await bed.Disk.DisposeAsync();
        string golden = Checkout.PathOf("tests", "vectors", "format1", "disk");
        string[] names = FilesOf(golden);
        Assert.Equal(names, FilesOf(bed.Folder));
        Assert.All(names, name => Assert.Equal(
            File.ReadAllBytes(Path.Combine(golden, name)), File.ReadAllBytes(Path.Combine(bed.Folder, name))));
    }

    [Fact]
    public async Task A_disk_is_read_as_ever()
    {
        await using DiskBed bed = NewBed();
        await bed.Disk.DisposeAsync();
        (TestShard[] kept, TestShard[] dropped) = Shards();
        string golden = Checkout.PathOf("tests", "vectors", "format1", "disk");
        foreach (string name in FilesOf(golden))
        {
            File.Copy(Path.Combine(golden, name), Path.Combine(bed.Folder, name), overwrite: true);
        }

        using (DiskCheck check = DiskCheck.Open(bed.Storage, bed.Folder))
        {
            check.Run(f => Assert.Fail(f.ToString()), CancellationToken.None);
        }

        await bed.ReopenAsync();
        await bed.AssertHoldsAsync(kept);
        foreach (TestShard shard in dropped)
        {
            await bed.AssertLacksAsync(shard);
        }
    }

    private static DiskBed NewBed() => new(DiskBed.Small with { VolumeBytes = 32 * 1024, GrowBytes = 16 * 1024 });

    // Two volumes: a sealed one with its footer, and the newest.
    private static async Task FillAsync(DiskBed bed)
    {
        (TestShard[] kept, TestShard[] dropped) = Shards();
        foreach (TestShard shard in (TestShard[])[.. dropped, .. kept])
        {
            await bed.PutAsync(shard);
        }

        await bed.DropAsync(dropped);
    }

    private static (TestShard[] Kept, TestShard[] Dropped) Shards()
    {
        ImmutableArray<RecordExtension> extensions =
        [
            new RecordExtension(ExtensionType.ShardSums, Content(96)),
            new RecordExtension(ExtensionType.Manifest, Content(200)),
        ];
        return (
            [Shard(1, 1), Shard(2, 5_000), Shard(3, 20_000) with { Extensions = extensions }, Shard(4, 9_000)],
            [Shard(5, 300), Shard(6, 100)]);
    }

    private static TestShard Shard(byte number, int bytes)
    {
        byte[] payload = Content(bytes);
        return new TestShard(
            new ShardHeader
            {
                Stripe = new StripeId(Id((byte)(0x40 + number))),
                Content = new ContentId(Id((byte)(0x50 + number))),
                Vault = new VaultId(Id(0x60)),
                Seal = new SealId(Id((byte)(0x70 + number))),
                Group = DiskBed.Group,
                Place = (byte)(number % 6),
                Code = Code,
                Ordinal = number,
                ContentBytes = bytes * 3,
                SealedBytes = (bytes * 3) + 16,
                ShardBytes = bytes,
                Tick = new Tick(10),
                ShardSum = Sum128.Of(payload),
                SumsDigest = Sum128.Of([number]),
            },
            payload);
    }

    private static byte[] Content(int bytes) => [.. Enumerable.Range(0, bytes).Select(i => (byte)(i * 7))];

    private static string[] FilesOf(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(folder, f))
            .Where(f => f != "lock")
            .Order(StringComparer.Ordinal)];
}
