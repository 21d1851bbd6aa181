using System.Buffers.Binary;
using System.Diagnostics;

namespace ZeroStor.Volumes;

/// <summary>Records laid one behind the other, to be written at once and made durable by one sync. What they
/// mean for the contents of the disk is kept until then. Laid by one thread, and laid no further once it is
/// being written.</summary>
/// <param name="volume">Where it goes.</param>
/// <param name="start">Where it begins: where the batch before it ends, which may still be written.</param>
/// <param name="durableBytes">Below this everything is durable already.</param>
/// <param name="disk">Whose records they are.</param>
/// <param name="claim">Under which it is held.</param>
/// <param name="pool">Where the memory is from that it is laid in.</param>
internal sealed class WriteBatch(
    Volume volume, long start, long durableBytes, DiskId disk, uint claim, BufferPool pool)
{
    private readonly Stage _stage = new(pool);
    private readonly List<Action<DiskContents>> _effects = [];
    private readonly Dictionary<ShardName, ShardHeader> _shards = [];
    private readonly HashSet<DeleteScope> _deleted = [];

    // Shards that came behind the last effect.
    private List<HeldShard> _put = [];
    private Tick _seen;

    internal Volume Volume { get; } = volume;

    internal long Start { get; } = start;

    internal long End { get; private set; } = start;

    /// <summary>Where a batch behind this one begins.</summary>
    internal long Next => RecordFormat.AlignBlock(End);

    internal long Bytes => End - Start;

    /// <summary>How long the file will be with it; known when it is handed over.</summary>
    internal long FileBytes { get; private set; }

    /// <summary>How much of that the file has not yet.</summary>
    internal long GrowthBytes { get; private set; }

    /// <summary>Whether the one before it was being written when this was begun.</summary>
    internal bool IsLaidAhead { get; init; }

    internal List<WriteItem> Items { get; } = [];

    /// <summary>The shard of this name in this batch; null when there is none that lives.</summary>
    internal ShardHeader? FindShard(ShardName shard) => _shards.GetValueOrDefault(shard);

    /// <summary>Whether a delete in this batch kills what stood of this shard before it.</summary>
    internal bool Deletes(ShardName shard, ContentId content) =>
        _deleted.Count > 0
        && (_deleted.Contains(DeleteScope.Of(shard)) || _deleted.Contains(DeleteScope.Of(content)));

    internal void AddShard(AppendItem item)
    {
        ShardHeader shard = item.Shard;
        int recordBytes = item.LayAt(End, out bool isInPlace);
        long start = _stage.Bytes;
        RecordPosition at = Place(item.Head.Span, recordBytes);
        _stage.Add(item.Head.Span);
        if (isInPlace)
        {
            _stage.AddAsItLies(item.Payload);
        }
        else
        {
            _stage.Add(item.Payload.Span);
        }

        _stage.AddZeros(recordBytes - (int)(_stage.Bytes - start));
        _shards[shard.Name] = shard;
        _put.Add(HeldShard.Of(shard, at, recordBytes));
        _seen = shard.Tick > _seen ? shard.Tick : _seen;
    }

    /// <summary>Adds a delete record for each content or shard, naming the volumes that may hold what it
    /// kills. The record's own volume is not named: as long as it is there, so is the record.</summary>
    internal void AddDeletes(Dictionary<DeleteScope, SortedSet<uint>> targetsOf, Tick tick)
    {
        var untilOf = new Dictionary<DeleteScope, RecordPosition>();
        var among = new HashSet<uint>(targetsOf.Values.SelectMany(t => t));
        foreach ((DeleteScope scope, SortedSet<uint> targets) in targetsOf)
        {
            targets.Remove(Volume.Number);
            byte[] payload = new byte[targets.Count * sizeof(uint)];
            int i = 0;
            foreach (uint target in targets)
            {
                BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(i++ * sizeof(uint)), target);
            }

            byte[] record = new byte[RecordFormat.Align(RecordFormat.HeaderBytes + payload.Length)];
            payload.CopyTo(record, RecordFormat.HeaderBytes);
            var until = new RecordPosition(Volume.Number, End);
            _ = RecordFormat.WriteDelete(record, scope, until, tick, payload);
            RecordPosition at = Place(record, record.Length);
            _stage.Add(record);
            untilOf[scope] = at;
            var kept = new KeptRecord(at, record.Length)
            {
                Scope = scope,
                Until = until,
                DeleteTargets = [.. targets],
            };
            Follow(contents => contents.PutKept(kept));
        }

        Follow(contents => contents.Delete(untilOf, among));
        _deleted.UnionWith(untilOf.Keys);

        // What the batch brought by now is dead; what comes behind lives.
        foreach ((ShardName name, ShardHeader shard) in _shards)
        {
            if (untilOf.ContainsKey(DeleteScope.Of(name))
                || untilOf.ContainsKey(DeleteScope.Of(shard.Content)))
            {
                _shards.Remove(name);
            }
        }
    }

    /// <summary>Contents among these of which this batch itself brings shards.</summary>
    internal IEnumerable<DeleteScope> Among(HashSet<ContentId> contents) =>
        _shards.Values.Select(s => s.Content).Where(contents.Contains).Select(DeleteScope.Of);

    /// <summary>Shards among these that this batch itself brings.</summary>
    internal IEnumerable<DeleteScope> Among(HashSet<ShardName> shards) =>
        shards.Where(_shards.ContainsKey).Select(DeleteScope.Of);

    internal void AddCopy(CopiedRecord copy)
    {
        RecordPosition at = Place(copy.Bytes.Span, copy.Bytes.Length);
        _stage.Add(copy.Bytes.Span);
        Follow(contents => contents.Move(copy.Header, copy.From, at));
    }

    /// <summary>Nothing more joins it: what it takes of the file is known.</summary>
    internal void Bound(DiskOptions options)
    {
        FileBytes = Volume.LengthWith(Start, End, options);
        GrowthBytes = FileBytes - Volume.FileBytes;
        Volume.Expect(FileBytes);
    }

    /// <summary>Writes what was laid; durable only after a sync. Behind it zeros are written over zeros:
    /// whole blocks need not be read first, nor go through the page cache.</summary>
    internal void Write()
    {
        _stage.AddZeros((int)(Next - End));
        Volume.Write(_stage.Pieces(), Start, FileBytes);
    }

    /// <summary>Makes the disk's contents know what is durable now. Once done, another time does nothing.</summary>
    internal void Apply(DiskContents contents)
    {
        Volume.Advance(End);
        EndPut();
        _effects.ForEach(effect => effect(contents));
        _effects.Clear();
        contents.SeeTick(_seen);
    }

    /// <summary>Gives back the memory that it was laid in.</summary>
    internal void Release() => _stage.Release();

    // Shards that came before come before it.
    private void Follow(Action<DiskContents> effect)
    {
        EndPut();
        _effects.Add(effect);
    }

    private void EndPut()
    {
        if (_put.Count > 0)
        {
            List<HeldShard> put = _put;
            _put = [];
            _effects.Add(contents => contents.PutShards(Volume, put));
        }
    }

    private RecordPosition Place(Span<byte> record, int recordBytes)
    {
        var at = new RecordPosition(Volume.Number, End);
        RecordFormat.WritePlacing(record, Volume.Generation, disk, claim, at, Bytes == 0 ? durableBytes : null);
        Debug.Assert(
            RecordFormat.TryRead(record, Volume.Generation, at, out _), "a record's own reader refuses it");
        End += recordBytes;
        return at;
    }
}
