using System.Collections.Concurrent;
using System.Collections.Immutable;
using ZeroStor.Client;
using ZeroStor.Contracts;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client;

/// <summary>The other side of the six doors, in memory: it takes pieces as the wire does (a copy, and the
/// count goes back), holds stripes as plain bytes, and keeps the promises of the contracts about slots,
/// contents and commits. Faults are planted through <see cref="Before"/> and <see cref="After"/>.</summary>
internal sealed partial class FakeFabric : IDoors, IFabricDoor
{
    public const string VaultName = "vault";

    private readonly Lock _gate = new();
    private readonly SeededEntropy _entropy = new(7);
    private readonly Dictionary<ContentId, Dictionary<int, byte[]>> _pages = [];
    private readonly Dictionary<StripeId, byte[]> _stripes = [];
    private readonly Dictionary<UInt128, Slot> _slots = [];
    private readonly Dictionary<ContentId, ObjectInfo> _committed = [];
    private readonly SortedDictionary<string, ObjectInfo> _objects = new(StringComparer.Ordinal);

    public FakeFabric(string code = "2+1") => Code = Code.Parse(code);

    public Code Code { get; }

    /// <summary>Coordinators by key; who is taken out is gone from the route.</summary>
    public ConcurrentDictionary<string, string> Coordinators { get; } =
        new() { ["a/1"] = "a", ["a/2"] = "a", ["b/3"] = "b" };

    /// <summary>The silo whose gateway the next call goes through.</summary>
    public Func<string> NextSilo { get; set; } = () => "a";

    /// <summary>Called with that silo; may hang.</summary>
    public Func<string, CancellationToken, Task> Through { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Where the silos say that their gateways are.</summary>
    public ImmutableArray<SiloGateway> Gateways { get; set; } = [];

    /// <summary>Raised when silos restart.</summary>
    public uint Claim { get; set; } = 1;

    /// <summary>Called before a call does anything: coordinator or door, method. May throw, or
    /// hang.</summary>
    public Func<string, string, CancellationToken, Task> Before { get; set; } = (_, _, _) =>
        Task.CompletedTask;

    /// <summary>Called when a call did its work: throwing here loses the answer.</summary>
    public Action<string, string> After { get; set; } = (_, _) => { };

    /// <summary>Every call, as <c>door method</c>.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    public HashSet<ContentId> Opened { get; } = [];

    public HashSet<ContentId> Abandoned { get; } = [];

    public List<CommitDraft> Drafts { get; } = [];

    public List<CommitPut> Commits { get; } = [];

    public List<ScrubOrder> Scrubs { get; } = [];

    /// <summary>How the disks are, look by look.</summary>
    public Queue<ImmutableArray<DiskStatus>> DiskLists { get; } = [];

    public ImmutableArray<SiloDetails> Silos { get; set; } = [];

    /// <summary>Of each read of a stripe, how many homes were to be taken for absent.</summary>
    public ConcurrentQueue<int> AbsentHomes { get; } = [];

    /// <summary>The object grains that were asked for stale versions.</summary>
    public ConcurrentQueue<string> AskedStale { get; } = [];

    /// <summary>How often no silo remembers a version, while the catalog is away; null while it is
    /// there.</summary>
    public int? AwayAndForgotten { get; set; }

    /// <summary>The keys of the vault.</summary>
    public VaultKeyRing Ring { get; private set; } = new()
    {
        Custody = "fabric",
        Bytes = 2_700,
        Keys = [new VaultKey { Generation = 1, Suite = "xwing", Begun = new Tick(5), HeldBy = "ab12", Epochs = [1, 2] }],
    };

    /// <summary>Stripes are kept by their length alone.</summary>
    public bool IsForgetful { get; init; }

    public long StripesWritten { get; private set; }

    public int OpenSlots
    {
        get
        {
            lock (_gate)
            {
                return _slots.Count;
            }
        }
    }

    public IReadOnlyCollection<string> Keys => _objects.Keys;

    IFabricDoor IDoors.Fabric => this;

    public int Count(string method) => Calls.Count(c => c.EndsWith(' ' + method));

    public Fabric Connect(
        TimeProvider? time = null,
        Action<ZeroStorClientOptions>? configure = null,
        GatewayList? gateways = null)
    {
        var options = new ZeroStorClientOptions();
        configure?.Invoke(options);
        return new Fabric(this, time ?? TimeProvider.System, new SeededEntropy(11), options, gateways)
        {
            Buffers = new BufferPool(),
        };
    }

    IVaultDoor IDoors.Vault(string name) => new VaultDoor(this, name);

    IObjectDoor IDoors.Objects(string grainKey) => new Objects(this, grainKey);

    IUploadDoor IDoors.Uploads(string grainKey) => new Uploads(this);

    IVersionDoor IDoors.Versions(string grainKey) => new Versions(this);

    IStripeDoor IDoors.Stripes(string coordinatorKey) => new Stripes(this, coordinatorKey);

    public Task<FabricRoute> RouteAsync(CancellationToken cancel) => DoAsync("fabric", "route", cancel, () =>
        new FabricRoute
        {
            Fabric = default,
            Tick = new Tick(5),
            MapVersion = 1,
            Gateways = Gateways,
            Coordinators =
            [
                .. Coordinators.Select(
                    c => new CoordinatorInfo
                    {
                        Key = c.Key,
                        Silo = c.Value,
                        Labels = Labels.None,
                        Claim = Claim,
                    }),
            ],
        });

    public async Task<string> SiloAsync(CancellationToken cancel)
    {
        string silo = NextSilo();
        Calls.Enqueue("fabric silo");
        await Task.Yield();
        await Through(silo, cancel);
        return silo;
    }

    public Task<FabricStatus> StatusAsync(CancellationToken cancel) => throw new NotSupportedException();

    public Task<MasterRotated> RotateMasterKeyAsync(CancellationToken cancel) => throw new NotSupportedException();

    public Task<CensusProgress> CensusAsync(bool begin, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<AdoptProgress> AdoptAsync(AdoptStep step, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<RepairProgress> RepairAsync(bool hurry, CancellationToken cancel) =>
        DoAsync("fabric", hurry ? "hurry-repair" : "repair", cancel, () => new RepairProgress
        {
            GroupsToRepair = 0,
            Rounds = 1,
            ShardsRebuilt = 0,
            ShardsCopied = 0,
            ShardsLeft = 0,
            StripesAtOnce = 1,
            ShardsRead = 0,
            BytesRead = 0,
            Silo = "silo1",
            BytesWritten = 0,
            Busy = default,
            GetP99 = default,
        });

    public Task<ImmutableArray<VaultInfo>> ListVaultsAsync(CancellationToken cancel) =>
        DoAsync<ImmutableArray<VaultInfo>>("fabric", "list-vaults", cancel, () => [Info(VaultName)]);

    public Task<ImmutableArray<DiskStatus>> ListDisksAsync(CancellationToken cancel) =>
        DoAsync("fabric", "list-disks", cancel, DiskLists.Dequeue);

    public Task<DiskDetails> ShowDiskAsync(DiskId disk, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<DiskAdded> AddDiskAsync(AddDisk add, CancellationToken cancel) =>
        DoAsync<DiskAdded>("fabric", "add-disk", cancel, () =>
            new()
            {
                Disk = new DiskId(1), Silo = "a", Path = add.Path, IsAdopted = false, Places = 0, PlacesKept = 0,
            });

    public Task<int> DrainDiskAsync(DiskId disk, CancellationToken cancel) => throw new NotSupportedException();

    public Task<DiskRemoved> RemoveDiskAsync(DiskId disk, bool leaveShort, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<ImmutableArray<SiloDetails>> ListSilosAsync(CancellationToken cancel) =>
        DoAsync("fabric", "list-silos", cancel, () => Silos);

    public Task<SiloRemoved> RemoveSiloAsync(string silo, bool leaveShort, CancellationToken cancel) =>
        DoAsync("fabric", "remove-silo", cancel, () =>
            new SiloRemoved { Silo = silo, Disks = [new(1), new(2)], PlacesMoved = 3, PlacesShort = 0 });

    public Task<int> DrainSiloAsync(string silo, CancellationToken cancel) =>
        DoAsync("fabric", "drain-silo", cancel, () => 3);

    public Task<DiskReset> ResetDiskAsync(DiskId disk, CancellationToken cancel) =>
        throw new NotSupportedException();

    public Task<ScrubProgress> BeginScrubAsync(ScrubOrder order, CancellationToken cancel) =>
        DoAsync("fabric", "begin-scrub", cancel, () =>
        {
            Scrubs.Add(order);
            return new ScrubProgress { Order = order, Disks = [] };
        });

    public Task<ScrubProgress> ScrubProgressAsync(ScrubOrder order, CancellationToken cancel) =>
        throw new NotSupportedException();

    /// <summary>The version's content dies under its readers.</summary>
    public void Reclaim()
    {
        lock (_gate)
        {
            _stripes.Clear();
        }
    }

    public void RemoveSlots()
    {
        lock (_gate)
        {
            _slots.Clear();
        }
    }

    private VaultInfo Info(string name) => new()
    {
        Name = name,
        Id = new VaultId(1),
        Code = Code,
        Spread = Spread.Disk,
        WriteFloor = Code.DefaultWriteFloor,
        Partitions = 4,
    };

#pragma warning disable CA1068 // What a call does reads best behind all that it is called with.
    private async Task<T> DoAsync<T>(string door, string method, CancellationToken cancel, Func<T> work)
    {
        Calls.Enqueue($"{door} {method}");
        await Task.Yield();
        await Before(door, method, cancel);
        T result;
        lock (_gate)
        {
            result = work();
        }

        After(door, method);
        return result;
    }

    private Task<object?> DoAsync(string door, string method, CancellationToken cancel, Action work) =>
        DoAsync<object?>(door, method, cancel, () =>
        {
            work();
            return null;
        });
#pragma warning restore CA1068

    private sealed record Slot(string Coordinator, ContentId Content)
    {
        public Dictionary<(int Ordinal, int Offset), byte[]> Pieces { get; } = [];
    }

    private sealed class VaultDoor(FakeFabric fabric, string name) : IVaultDoor
    {
        public Task<VaultInfo> CreateAsync(VaultSpec spec, CancellationToken cancel) =>
            fabric.DoAsync("vault", "create", cancel, () => fabric.Info(name));

        public Task<VaultInfo> DescribeAsync(CancellationToken cancel) =>
            fabric.DoAsync("vault", "describe", cancel, () => name == VaultName
                ? fabric.Info(name)
                : throw ZeroStorException.NotFound($"There is no vault '{name}'."));

        public Task RemoveAsync(bool withContent, CancellationToken cancel) =>
            fabric.DoAsync("vault", "remove", cancel, () => { });

        public Task ShredAsync(CancellationToken cancel) =>
            fabric.DoAsync("vault", "shred", cancel, () => { });

        public Task<VaultKeyRing> KeysAsync(CancellationToken cancel) =>
            fabric.DoAsync("vault", "keys", cancel, () => fabric.Ring);

        public Task<VaultKeyRing> RotateAsync(string? suite, CancellationToken cancel) =>
            fabric.DoAsync("vault", "rotate", cancel, () => fabric.Ring = fabric.Ring with
            {
                Keys = fabric.Ring.Keys.Add(fabric.Ring.Keys[^1] with
                {
                    Generation = fabric.Ring.Keys[^1].Generation + 1,
                    Suite = suite ?? fabric.Ring.Keys[^1].Suite,
                }),
            });

        public Task<VaultKeyRing> RetireAsync(uint generation, CancellationToken cancel) =>
            fabric.DoAsync("vault", "retire", cancel, () => fabric.Ring = fabric.Ring with
            {
                Keys = fabric.Ring.Keys.RemoveAll(k => k.Generation == generation),
            });

        public Task<byte[]> OwnRingAsync(CancellationToken cancel) => throw new NotSupportedException();

        public Task ChangeOwnRingAsync(byte[] was, byte[] ring, CancellationToken cancel) =>
            throw new NotSupportedException();

        public Task<VaultInfo> SetVersioningAsync(Versioning versioning, CancellationToken cancel) =>
            fabric.DoAsync("vault", "set-versioning", cancel, () => fabric.Info(name) with { Versioning = versioning });

        public Task<VaultInfo> SetCompressionAsync(Compression compression, CancellationToken cancel) => fabric.DoAsync(
            "vault", "set-compression", cancel, () => fabric.Info(name) with { Compression = compression });

        public Task<VaultSettings?> ReadSettingsAsync(string settings, CancellationToken cancel) =>
            fabric.DoAsync("vault", "read-settings", cancel, () => fabric._settings.GetValueOrDefault(settings));

        public Task<VaultSettings?> WriteSettingsAsync(
            string settings, string? was, byte[]? bytes, CancellationToken cancel) =>
            fabric.DoAsync<VaultSettings?>("vault", "write-settings", cancel, () =>
                fabric._settings[settings] = VaultSettings.Of(bytes!));
    }

    private sealed class Stripes(FakeFabric fabric, string key) : IStripeDoor
    {
        public Task<PutTicket> OpenPutAsync(OpenPut open, CancellationToken cancel) =>
            fabric.DoAsync(key, "open-put", cancel, () =>
            {
                var ticket = new PutTicket
                {
                    Put = Id128.Random(fabric._entropy),
                    Content = open.Resume?.Content ?? ContentId.New(new Tick(5), fabric._entropy),
                    WrappedKey = open.Resume?.WrappedKey ?? [1, 2, 3],
                    Code = fabric.Code,
                };
                fabric._slots[ticket.Put] = new Slot(key, ticket.Content);
                return ticket;
            });

        public async Task PutPieceAsync(PutPiece piece, CancellationToken cancel)
        {
            byte[] bytes = Receive(piece.Bytes);
            await fabric.DoAsync(key, "put-piece", cancel, () => Store(piece, bytes));
        }

        public async Task<StripeWritten> WriteStripeAsync(WriteStripeOrder order, CancellationToken cancel)
        {
            byte[] bytes = Receive(order.LastPiece.Bytes);
            return await fabric.DoAsync(key, "write-stripe", cancel, () =>
            {
                Slot slot = Store(order.LastPiece, bytes);
                PutPiece last = order.LastPiece;
                byte[] stripe = new byte[last.StripeBytes];
                int filled = 0;
                foreach (((int ordinal, int offset), byte[] piece) in slot.Pieces.ToArray())
                {
                    if (ordinal == last.Ordinal)
                    {
                        piece.CopyTo(stripe, offset);
                        filled += piece.Length;
                        slot.Pieces.Remove((ordinal, offset));
                    }
                }

                Assert.Equal(stripe.Length, filled);
                if (PartDraft.IsOne(order.Draft))
                {
                    fabric.PartDrafts.Add(PartDraft.Decode(order.Draft));
                }
                else if (order.Draft.Length > 0)
                {
                    fabric.Drafts.Add(CommitDraft.Decode(order.Draft));
                }

                var id = StripeId.New(new Tick(5), fabric._entropy);
                fabric._stripes[id] = fabric.IsForgetful ? [] : stripe;
                fabric.StripesWritten++;
                return new StripeWritten
                {
                    Stripe = new StripeRef(
                        id, new GroupId(1), new SealId(id.Value), stripe.Length,
                        Geometry.PlainSealedBytes(stripe.Length), default),
                    Missing = 0,
                };
            });
        }

        public Task ClosePutAsync(UInt128 put, CancellationToken cancel) =>
            fabric.DoAsync(key, "close-put", cancel, () => { fabric._slots.Remove(put); });

        public Task<Parcel> ReadStripeAsync(ReadStripeOrder order, CancellationToken cancel) =>
            fabric.DoAsync(key, "read-stripe", cancel, () =>
            {
                fabric.AbsentHomes.Enqueue(order.AbsentHomes);
                if (!fabric._stripes.TryGetValue(order.Stripe.Id, out byte[]? stripe))
                {
                    throw ZeroStorException.NotFound("The content died.");
                }

                BufferSlice slice = BufferPool.Shared.RentSlice(order.Length);
                stripe.AsSpan(order.Offset, order.Length).CopyTo(slice.Span);
                return new Parcel(slice);
            });

        private static byte[] Receive(Parcel parcel)
        {
            BufferSlice slice = parcel.Take();
            byte[] bytes = slice.Span.ToArray();
            slice.Release();
            return bytes;
        }

        private Slot Store(PutPiece piece, byte[] bytes)
        {
            Assert.InRange(bytes.Length, 1, Geometry.MaxPieceBytes);
            if (!fabric._slots.TryGetValue(piece.Put, out Slot? slot) || slot.Coordinator != key)
            {
                throw ZeroStorException.NotFound("The slot is gone.");
            }

            slot.Pieces[(piece.Ordinal, piece.Offset)] = bytes;
            return slot;
        }
    }

    private sealed class Objects(FakeFabric fabric, string grainKey) : IObjectDoor
    {
        public Task<ObjectInfo> CommitAsync(CommitPut put, CancellationToken cancel) =>
            fabric.DoAsync("objects", "commit", cancel, () =>
            {
                Assert.Equal(ObjectDoor.KeyOf(VaultName, 4, put.Key), grainKey);
                fabric.Commits.Add(put);
                if (fabric._committed.TryGetValue(put.Content, out ObjectInfo? before))
                {
                    return before;
                }

                if (fabric.Abandoned.Contains(put.Content)
                    || (put.If.IfNoneMatch == "*" && fabric._objects.ContainsKey(put.Key)))
                {
                    throw new ZeroStorException(ErrorKind.PreconditionFailed, "The key is taken.");
                }

                foreach (StripePage page in put.Pages)
                {
                    fabric.Page(put.Content, page.Page, page.Bytes);
                }

                Manifest manifest = Manifest.Decode(put.Manifest);
                var info = new ObjectInfo
                {
                    Key = put.Key,
                    Version = manifest.Version,
                    Size = manifest.Size,
                    ETag = put.ETag ?? manifest.Version.ToString(),
                    Modified = DateTimeOffset.UnixEpoch,
                    Tags = put.Tags,
                };
                fabric._committed[put.Content] = info;
                fabric._objects[put.Key] = info with { Manifest = put.Manifest };
                return info;
            });

        public Task<ObjectInfo> CopyAsync(CopyObject copy, CancellationToken cancel) =>
            fabric.DoAsync("objects", "copy", cancel, () =>
            {
                ObjectInfo source = fabric._objects[copy.SourceKey];
                Manifest manifest = Manifest.Decode(source.Manifest);
                if (copy.Carried is { } carried)
                {
                    manifest = manifest with { ContentType = Carried.Decode(carried).ContentType };
                }

                ObjectInfo made = source with
                {
                    Key = copy.Key, Manifest = manifest.Encode(), Tags = copy.Tags ?? source.Tags,
                };
                fabric._objects[copy.Key] = made;
                return made with { Manifest = [] };
            });

        public Task<bool> DeleteAsync(DeleteObject delete, CancellationToken cancel) =>
            fabric.DoAsync("objects", "delete", cancel, () => fabric._objects.Remove(delete.Key));

        public Task<ObjectInfo?> HeadAsync(string key, bool allowStale, CancellationToken cancel) =>
            fabric.DoAsync("objects", "head", cancel, () =>
            {
                if (fabric.AwayAndForgotten is not { } forgotten)
                {
                    return fabric._objects.GetValueOrDefault(key);
                }

                if (allowStale)
                {
                    fabric.AskedStale.Enqueue(grainKey);
                }

                return allowStale && forgotten < fabric.AskedStale.Count
                    ? fabric._objects[key] with { IsStale = true }
                    : throw new ZeroStorException(ErrorKind.Unavailable, "The catalog does not answer.");
            });

        public Task<ObjectListing> ListAsync(ListObjects list, CancellationToken cancel) =>
            fabric.DoAsync("objects", "list", cancel, () =>
            {
                ObjectInfo[] found =
                [
                    .. fabric._objects.Values.Where(
                        o => o.Key.StartsWith(list.Prefix, StringComparison.Ordinal)
                        && string.CompareOrdinal(o.Key, list.StartAfter) > 0).Take(list.Max + 1),
                ];
                bool hasMore = found.Length > list.Max;
                ImmutableArray<ObjectInfo> page =
                    [.. found.Take(list.Max).Select(o => o with { Manifest = [] })];
                return new ObjectListing
                {
                    Objects = page, CommonPrefixes = [], Next = hasMore ? page[^1].Key : null,
                };
            });

        public Task OpenContentAsync(ContentId content, CancellationToken cancel) =>
            fabric.DoAsync("objects", "open-content", cancel, () => { fabric.Opened.Add(content); });

        public Task WritePageAsync(ContentId content, int page, byte[] bytes, CancellationToken cancel) =>
            fabric.DoAsync("objects", "write-page", cancel, () =>
            {
                Assert.Contains(content, fabric.Opened);
                fabric.Page(content, page, bytes);
            });

        public Task<byte[]> ReadPageAsync(ContentId content, int page, CancellationToken cancel) =>
            fabric.DoAsync("objects", $"read-page-{page}", cancel, () => fabric._pages[content][page]);

        public Task AbandonAsync(ContentId content, CancellationToken cancel) =>
            fabric.DoAsync("objects", "abandon", cancel, () => { fabric.Abandoned.Add(content); });

        public Task<ImmutableArray<ShardPlace>> LocateAsync(
            string key, int firstStripe, int maxStripes, CancellationToken cancel) =>
            fabric.DoAsync<ImmutableArray<ShardPlace>>("objects", "locate", cancel, () =>
            [
                .. Enumerable.Range(firstStripe, maxStripes)
                    .Where(s => s < Manifest.Decode(fabric._objects[key].Manifest).Contents[0].StripeCount)
                    .Select(s => new ShardPlace
                    {
                        Stripe = s,
                        StripeId = default,
                        Index = 0,
                        Disk = new DiskId(1),
                        Silo = "a",
                        State = "present",
                    }),
            ]);
    }

    private void Page(ContentId content, int page, byte[] bytes)
    {
        if (!_pages.TryGetValue(content, out Dictionary<int, byte[]>? pages))
        {
            _pages[content] = pages = [];
        }

        pages.Add(page, bytes);
    }
}
