using System.Collections.Immutable;
using System.CommandLine;
using System.Text;
using System.Text.Json;
using ZeroStor.CommandLine;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client.Zs;

public sealed class ProgramTests
{
    // A port that nothing listens on: 1 needs privileges, and nobody takes it.
    private const string Nowhere = "127.0.0.1:1";

    [Theory]
    [InlineData("put only-a-file")]
    [InlineData("frobnicate")]
    [InlineData("get v/k --range 5-2")]
    [InlineData("get v/k --range x")]
    [InlineData("get -r v/tree -")]
    [InlineData("get -r v/tree dir --range 0-1")]
    [InlineData("get -r v/tree dir --allow-stale")]
    [InlineData("stat v/k --shards --allow-stale")]
    [InlineData("get v")]
    [InlineData("put - v/")]
    [InlineData("rm -r v")]
    [InlineData("stat v/")]
    [InlineData("vault create v --code 0+4")]
    [InlineData("vault create v --code 300+1")]
    [InlineData("vault create v --code x")]
    [InlineData("vault create v --spread moon")]
    [InlineData("vault set v")]
    [InlineData("vault set v --versioning always")]
    [InlineData("vault set v --compression zip")]
    [InlineData("vault set v --versioning on --compression on")]
    [InlineData("ls --versions")]
    [InlineData("get v/k --version x")]
    [InlineData("get -r v/tree dir --version null")]
    [InlineData("rm v/k --version 1")]
    [InlineData("rm -r v/ --version null")]
    [InlineData("uploads")]
    [InlineData("uploads ls")]
    [InlineData("uploads abort v/k")]
    [InlineData("uploads abort v/k x")]
    [InlineData("uploads abort v/ 0000138800000000000000000000002a")]
    [InlineData("status --gateway nowhere")]
    [InlineData("disk")]
    [InlineData("disk show")]
    [InlineData("disk show x")]
    [InlineData("disk show 0")]
    [InlineData("disk show -1")]
    [InlineData("disk show 99999999999")]
    [InlineData("disk add")]
    [InlineData("disk add data/d25")]
    [InlineData("disk add ./d25")]
    [InlineData("disk add /d25 --replace x")]
    [InlineData("disk remove x --yes")]
    [InlineData("disk remove 3 --no")]
    [InlineData("disk check")]
    [InlineData("disk check a b")]
    [InlineData("disk reset +3")]
    [InlineData("silo")]
    [InlineData("silo ls a")]
    [InlineData("silo drain")]
    [InlineData("silo drain a/1")]
    [InlineData("silo remove a --no")]
    [InlineData("silo remove a b")]
    [InlineData("scrub --disk x")]
    [InlineData("scrub --disk")]
    [InlineData("scrub --wait --timeout 0")]
    [InlineData("repair --wait --timeout -1")]
    [InlineData("vault create photos --custody nobody")]
    [InlineData("vault create photos --compression zip")]
    [InlineData("vault create p")]
    [InlineData("vault shred photos")]
    [InlineData("key rotate")]
    [InlineData("key rotate photos --master")]
    [InlineData("key retire photos first")]
    [InlineData("key export photos")]
    [InlineData("key master")]
    [InlineData("bench --sizes 0")]
    [InlineData("bench --sizes ,")]
    [InlineData("bench --sizes 4KB")]
    [InlineData("bench --sizes 17GiB")]
    [InlineData("bench --concurrency 0")]
    [InlineData("bench --concurrency 1,257")]
    [InlineData("bench --ops put,delete")]
    [InlineData("bench --seconds 0")]
    [InlineData("bench --seconds x")]
    [InlineData("bench --vault A/B")]
    [InlineData("bench default")]
    [InlineData("dev")]
    [InlineData("dev up --silos 0")]
    [InlineData("dev up --silos x")]
    [InlineData("dev up --sites 201")]
    [InlineData("dev up --disks-per-silo -1")]
    [InlineData("dev up --code x")]
    [InlineData("dev kill")]
    [InlineData("dev wipe --data /nowhere")]
    [InlineData("dev start --silo x")]
    [InlineData("dev add --silos 0")]
    [InlineData("dev down now")]
    public async Task Wrong_usage_is_found_before_anything_is_asked(string line) =>
        Assert.Equal((int)Exit.Usage, await RunAsync(line));

    [Theory]
    [InlineData("status")]
    [InlineData("ls")]
    [InlineData("ls v")]
    [InlineData("stat v/k --shards")]
    [InlineData("stat v/k --allow-stale")]
    [InlineData("get v/k - --allow-stale")]
    [InlineData("rm v/k")]
    [InlineData("rm -r v/")]
    [InlineData("get v/k absent-file")]
    [InlineData("vault create photos --code 4+2 --spread rack")]
    [InlineData("vault create photos --custody owner --key-file /nowhere/photos.key")]
    [InlineData("vault shred photos --yes")]
    [InlineData("key ls photos")]
    [InlineData("key rotate photos --suite xwing1024")]
    [InlineData("key rotate --master")]
    [InlineData("key retire photos 1")]
    [InlineData("vault rm v --force")]
    [InlineData("vault set v --versioning suspended")]
    [InlineData("vault set v --compression off")]
    [InlineData("ls --versions v/ -r")]
    [InlineData("get v/k - --version null")]
    [InlineData("rm v/k --version 0000138800000000000000000000002a")]
    [InlineData("uploads ls v")]
    [InlineData("uploads abort v/k 0000138800000000000000000000002a")]
    [InlineData("disk ls")]
    [InlineData("disk show 3")]
    [InlineData("disk add /d25 --silo a --replace 3")]
    [InlineData("disk remove 3 --yes")]
    [InlineData("disk reset 3")]
    [InlineData("silo ls")]
    [InlineData("silo drain a --wait")]
    [InlineData("silo remove a --yes --json")]
    [InlineData("scrub --disk 3 --disk 4 --wait --timeout 5")]
    [InlineData("bench --sizes 4KiB,64KiB --concurrency 2 --ops get-degraded --seconds 0.5 --vault photos --json")]
    public async Task Without_a_silo_every_verb_is_unreachable(string line) =>
        Assert.Equal((int)Exit.Unreachable, await RunAsync($"{line} --gateway {Nowhere}"));

    [Theory]
    [InlineData("dev ls --data /no/such/folder", Exit.NotFound)]
    [InlineData("dev kill --all --data /no/such/folder", Exit.NotFound)]
    [InlineData("dev add --data /no/such/folder", Exit.NotFound)]
    [InlineData("dev down --data /no/such/folder", Exit.NotFound)]
    [InlineData("dev up --silo-path /no/such/silo", Exit.Failed)]
    [InlineData("dev up --silo-path /no/such/silo --disks-per-silo 8", Exit.NotFound)]
    public async Task Of_a_dev_fabric_that_is_not_there_it_is_said(string line, object exit) =>
        Assert.Equal((int)(Exit)exit, await RunAsync(line));

    [Fact]
    public async Task A_missing_file_fails_here() =>
        Assert.Equal((int)Exit.Failed, await RunAsync($"put /no/such/file v/k --gateway {Nowhere}"));

    [Fact]
    public void Every_verb_teaches_with_an_example()
    {
        var verbs = new Queue<Command>(Program.MakeRoot().Subcommands);
        int count = 0;
        while (verbs.TryDequeue(out Command? verb))
        {
            foreach (Command below in verb.Subcommands)
            {
                verbs.Enqueue(below);
            }

            if (verb.Subcommands.Count > 0)
            {
                continue;
            }

            var help = new StringWriter();
            string[] path =
            [
                .. verb.Parents.OfType<Command>().Where(p => p is not RootCommand).Select(p => p.Name),
                verb.Name,
            ];
            Assert.Equal(0, Program.MakeRoot().Parse([.. path, "--help"]).Invoke(
                new InvocationConfiguration { Output = help }));
            Assert.Contains($"  zs {string.Join(' ', path)}", help.ToString(), StringComparison.Ordinal);
            count++;
        }

        Assert.Equal(47, count);
    }

    [Theory]
    [InlineData(ErrorKind.NotFound, 4)]
    [InlineData(ErrorKind.PreconditionFailed, 5)]
    [InlineData(ErrorKind.Unavailable, 3)]
    [InlineData(ErrorKind.InvalidArgument, 2)]
    [InlineData(ErrorKind.AlreadyExists, 1)]
    [InlineData(ErrorKind.TooFewShards, 1)]
    [InlineData(ErrorKind.Busy, 1)]
    public void Kinds_have_their_exit_codes(ErrorKind kind, int exit)
    {
        Failure failure = Failure.Of(new ZeroStorException(kind, "Because."), isInterrupted: false);
        Assert.Equal(
            (kind.ToString(), "Because.", (Exit)exit), (failure.Kind, failure.Message, failure.Exit));
    }

    [Fact]
    public void An_interrupted_verb_says_so_and_one_cancelled_otherwise_does_not()
    {
        Assert.Equal(
            Exit.Interrupted, Failure.Of(new OperationCanceledException(), isInterrupted: true).Exit);
        Assert.Equal(Exit.Failed, Failure.Of(new OperationCanceledException(), isInterrupted: false).Exit);
    }

    [Fact]
    public void Errors_are_a_sentence_or_one_line_of_JSON()
    {
        var plain = new StringWriter();
        new Output(false, false, TextWriter.Null, Stream.Null, plain).Error(
            new Failure("NotFound", "There is no 'v/\x1b[2J'.", Exit.NotFound), new IOException());
        Assert.Equal("zs: There is no 'v/\\x1b[2J'.\n", plain.ToString());
        var json = new StringWriter();
        new Output(true, false, TextWriter.Null, Stream.Null, json).Error(
            new Failure("NotFound", "There is no 'v/k'.", Exit.NotFound), new IOException());
        Assert.Equal(
            """{"error":{"kind":"NotFound","message":"There is no 'v/k'."}}""" + "\n", json.ToString());
    }

    [Fact]
    public void Status_has_the_shape_that_scripts_rely_on()
    {
        var status = new FabricStatus
        {
            Fabric = new FabricId(255),
            Tick = new Tick(9),
            Silos = [new() { Name = "a", State = "active", Labels = new Labels("eu", "fra", "r1") }],
            Disks =
            [
                new()
                {
                    Id = new DiskId(3),
                    Silo = "a",
                    Path = "/d",
                    State = "up",
                    UsedBytes = 1,
                    FreeBytes = 2,
                },
            ],
            Ledger = new Ledger
            {
                Stripes = 7,
                Whole = 6,
                ByMissing = ImmutableSortedDictionary<int, long>.Empty.Add(0, 6).Add(1, 1),
                Classes =
                [
                    new ClassLedger
                    {
                        Class = new ClassId(1),
                        Code = new Code(4, 2),
                        Spread = Spread.Rack,
                        Stripes = 7,
                        Whole = 6,
                        ByMissing = ImmutableSortedDictionary<int, long>.Empty.Add(0, 6).Add(1, 1),
                    },
                ],
                Census = new Tick(8),
                Lost = 2,
                Vaults =
                [
                    new VaultLedger
                    {
                        Vault = "photos",
                        Code = new Code(4, 2),
                        ByMissing = ImmutableSortedDictionary<int, long>.Empty.Add(1, 1),
                    },
                ],
            },
            Counters = ImmutableSortedDictionary<string, long>.Empty.Add("stripesWritten", 7),
            Notices = ["Gateways listen beyond loopback."],
            Repair = new RepairProgress
            {
                GroupsToRepair = 2,
                Rounds = 1,
                ShardsRebuilt = 10,
                ShardsCopied = 3,
                ShardsLeft = 4,
                StripesAtOnce = 1,
                ShardsRead = 0,
                BytesRead = 500,
                BytesWritten = 100,
                Busy = TimeSpan.FromSeconds(1),
                GetP99 = TimeSpan.Zero,
                Silo = "a",
            },
        };
        using var target = new MemoryStream();
        new Output(true, false, TextWriter.Null, target, TextWriter.Null).Json(
            w => StatusVerb.Write(w, status));
        Assert.Equal(
            """
            {"fabricId":"000000000000000000000000000000ff","tick":9,
            "silos":[{"name":"a","state":"active","labels":{"region":"eu","site":"fra","rack":"r1"}}],
            "disks":[{"id":3,"silo":"a","path":"/d","state":"up","usedBytes":1,"freeBytes":2,"wrongShards":0}],
            "ledger":{"stripes":7,"whole":6,"byMissing":{"0":6,"1":1},"lost":2,"green":false,"censusTick":8,
            "classes":[{"code":"4+2","spread":"rack","stripes":7,"whole":6,"byMissing":{"0":6,"1":1}}],
            "atRisk":1,"vaults":[{"vault":"photos","code":"4+2","atRisk":1,"byMissing":{"1":1}}]},
            "repair":{"silo":"a","groupsToRepair":2,"shardsLeft":4,"shardsRebuilt":10,"shardsCopied":3,
            "bytesRead":500,"bytesWritten":100},
            "counters":{"stripesWritten":7},"notices":["Gateways listen beyond loopback."]}
            """.ReplaceLineEndings("") + "\n",
            Encoding.UTF8.GetString(target.ToArray()));
    }

    [Fact]
    public void A_disk_has_the_shape_that_scripts_rely_on()
    {
        var disk = new DiskDetails
        {
            Status = new()
            {
                Id = new DiskId(3), Silo = "a", Path = "/d", State = "readOnly", UsedBytes = 1, FreeBytes = 2,
            },
            Labels = new Labels("eu", "fra", "r1"),
            Claim = 4,
            IsManaged = true,
            HomeOf = 5,
            FormerHomeOf = 6,
            LiveBytes = 7,
            Shards = 8,
            HighestTick = new Tick(9),
            Notes = new()
            {
                Why = "A write failed.",
                IsScrubbing = true,
                ShardsScrubbed = 10,
                BytesScrubbed = 11,
                Bad = 12,
                LastScrubbed = DateTimeOffset.UnixEpoch,
                ScrubVolume = 13,
                ScrubOffset = 14,
                ScrubShare = 0.15,
                ScrubBegan = new Tick(16),
                ScrubEnded = new Tick(17),
            },
        };
        using var target = new MemoryStream();
        new Output(true, false, TextWriter.Null, target, TextWriter.Null).Json(w => DiskVerbs.Write(w, disk));
        Assert.Equal(
            """
            {"id":3,"silo":"a","path":"/d","state":"readOnly","usedBytes":1,"freeBytes":2,"wrongShards":0,"why":"A write failed.",
            "labels":{"region":"eu","site":"fra","rack":"r1"},"claim":4,"managed":true,"liveBytes":7,"shards":8,
            "highestTick":9,"homeOf":5,"formerHomeOf":6,
            "scrub":{"running":true,"shards":10,"bytes":11,"bad":12,"lastEnded":"1970-01-01T00:00:00Z",
            "volume":13,"offset":14,"share":0.15,"beganTick":16,"endedTick":17}}
            """.ReplaceLineEndings("") + "\n",
            Encoding.UTF8.GetString(target.ToArray()));
    }

    [Fact]
    public void Disks_are_a_table() => Assert.Equal(
        [
            "  id  silo   state           used        free  path",
            "   3  silo1  up           1.0 KiB     2.0 KiB  /a b",
            "  12  s      readOnly         0 B     1.0 MiB  /c",
        ],
        DiskVerbs.Table(
        [
            new() { Id = new(3), Silo = "silo1", Path = "/a b", State = "up", UsedBytes = 1024, FreeBytes = 2048 },
            new() { Id = new(12), Silo = "s", Path = "/c", State = "readOnly", UsedBytes = 0, FreeBytes = 1 << 20 },
        ]));

    [Fact]
    public void A_silo_has_the_shape_that_scripts_rely_on()
    {
        using var target = new MemoryStream();
        var output = new Output(true, false, TextWriter.Null, target, TextWriter.Null);
        output.Json(w => SiloVerbs.Write(w, Silos[0]));
        output.Json(w => SiloVerbs.Write(w, Silos[1]));
        Assert.Equal(
            """
            {"name":"silo1","state":"active","labels":{"region":"eu","site":"fra","rack":"r1"},
            "address":"10.0.0.1:11111","lastSeen":"","disks":3,"disksUp":2,"disksDraining":1,"disksDrained":0,
            "usedBytes":1024,"freeBytes":2048,"residentBytes":1048576,"processorSeconds":2.5}
            {"name":"s","state":"away","labels":{"region":"","site":"","rack":""},
            "address":"","lastSeen":"1970-01-01T00:00:00Z","disks":2,"disksUp":0,"disksDraining":0,"disksDrained":2,
            "usedBytes":0,"freeBytes":0,"residentBytes":null,"processorSeconds":null}
            """.ReplaceLineEndings("").Replace("}{", "}\n{", StringComparison.Ordinal) + "\n",
            Encoding.UTF8.GetString(target.ToArray()));
    }

    [Fact]
    public void Silos_are_a_table() => Assert.Equal(
        [
            "silo   state                                          disks      used     free     memory   address"
                + "         labels",
            "silo1  active, draining                               2 of 3 up  1.0 KiB  2.0 KiB  1.0 MiB  10.0.0.1:11111"
                + "  " + Silos[0].Status.Labels,
            "s      away, last seen 1970-01-01T00:00:00Z, drained  0 of 2 up  0 B      0 B      ?        ?",
        ],
        SiloVerbs.Table(Silos));

    private static readonly SiloDetails[] Silos =
    [
        new()
        {
            Status = new() { Name = "silo1", State = "active", Labels = new Labels("eu", "fra", "r1") },
            Address = "10.0.0.1:11111",
            Disks = 3,
            DisksUp = 2,
            DisksDraining = 1,
            DisksDrained = 0,
            UsedBytes = 1024,
            FreeBytes = 2048,
            ResidentBytes = 1 << 20,
            Processor = new ProcessorUse(1, TimeSpan.FromSeconds(2.5)),
        },
        new()
        {
            Status = new() { Name = "s", State = "away", Labels = Labels.None },
            Address = "",
            LastSeen = DateTimeOffset.UnixEpoch,
            Disks = 2,
            DisksUp = 0,
            DisksDraining = 0,
            DisksDrained = 2,
            UsedBytes = 0,
            FreeBytes = 0,
        },
    ];

    [Fact]
    public void A_shard_has_the_shape_that_scripts_rely_on()
    {
        using var target = new MemoryStream();
        using (var writer = new Utf8JsonWriter(target))
        {
            ObjectVerbs.Write(writer, new ShardPlace
            {
                Stripe = 1,
                StripeId = default,
                Index = 2,
                Disk = new DiskId(3),
                Silo = "a",
                State = "present",
                File = "/d/v1",
                Offset = 4096,
                Length = 77,
            });
        }

        Assert.Equal(
            """{"stripe":1,"index":2,"disk":3,"silo":"a","state":"present","file":"/d/v1","""
            + "\"offset\":4096,\"length\":77}",
            Encoding.UTF8.GetString(target.ToArray()));
    }

    private static Task<int> RunAsync(string line) =>
        Program.RunAsync(line.Split(' '), CancellationToken.None);
}
