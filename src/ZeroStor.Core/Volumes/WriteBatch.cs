using System.Buffers.Binary;

namespace ZeroStor.Volumes;

/// <summary>Records laid one behind the other, to be written at once and made durable by one sync. What they
/// mean for the contents of the disk is kept until then. Used by the writer alone.</summary>
internal sealed class WriteBatch(Volume volume, DiskId disk, uint claim)
{
    private static readonly ReadOnlyMemory<byte> Padding = new byte[RecordFormat.AlignmentBytes];

    private readonly List<ReadOnlyMemory<byte>> _pieces = [];
    private readonly List<Action<DiskContents>> _effects = [];
    private readonly Dictionary<ShardName, ShardHeader> _shards = [];
    private readonly HashSet<DeleteScope> _deleted = [];

    internal Volume Volume { get; } = volume;

    internal long Start { get; } = volume.NextBatch;

    internal long End { get; private set; } = volume.NextBatch;

    internal List<WriteItem> Items { get; } = [];

    internal bool IsEmpty => End == Start;

    /// <summary>The shard of this name in this batch; null when there is none that lives.</summary>
    internal ShardHeader? FindShard(ShardName shard) => _shards.GetValueOrDefault(shard);

    /// <summary>Whether a delete in this batch kills what stood of this shard before it.</summary>
    internal bool Deletes(ShardName shard, ContentId content) =>
        _deleted.Contains(DeleteScope.Of(shard)) || _deleted.Contains(DeleteScope.Of(content));

    internal void AddShard(AppendItem item)
    {
        RecordPosition at = Place(item.Head.Memory, item.RecordBytes, out RecordHeader header);
        _pieces.Add(item.Head.Memory);
        if (!item.Payload.IsEmpty)
        {
            _pieces.Add(item.Payload.Memory);
        }

        int padding = item.RecordBytes - item.Head.Length - item.Payload.Length;
        if (padding > 0)
        {
            _pieces.Add(Padding[..padding]);
        }

        _shards[item.Shard.Name] = item.Shard;
        _effects.Add(contents => contents.PutShard(header, at));
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
            RecordPosition at = Place(record, record.Length, out _);
            _pieces.Add(record);
            untilOf[scope] = at;
            var kept = new KeptRecord(at, record.Length)
            {
                Scope = scope,
                Until = until,
                DeleteTargets = [.. targets],
            };
            _effects.Add(contents => contents.PutKept(kept));
        }

        _effects.Add(contents => contents.Delete(untilOf, among));
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
        RecordPosition at = Place(copy.Bytes, copy.Bytes.Length, out RecordHeader header);
        _pieces.Add(copy.Bytes);
        _effects.Add(contents => contents.Move(header, copy.From, at));
    }

    /// <summary>Writes what was laid; durable only after a sync.</summary>
    internal void Write(DiskOptions options) => Volume.Write(_pieces, Start, End, options);

    /// <summary>Makes the disk's contents know what is durable now.</summary>
    internal void Apply(DiskContents contents)
    {
        Volume.Advance(End);
        foreach (Action<DiskContents> effect in _effects)
        {
            effect(contents);
        }
    }

    private RecordPosition Place(Memory<byte> record, int recordBytes, out RecordHeader header)
    {
        var at = new RecordPosition(Volume.Number, End);
        long? durableBytes = IsEmpty ? Start : null;
        RecordFormat.WritePlacing(record.Span, Volume.Generation, disk, claim, at, durableBytes);
        if (!RecordFormat.TryRead(record.Span, Volume.Generation, at, out header))
        {
            throw new InvalidOperationException("A record was laid that its own reader refuses.");
        }

        End += recordBytes;
        return at;
    }
}
