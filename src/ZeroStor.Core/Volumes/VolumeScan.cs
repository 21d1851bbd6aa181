namespace ZeroStor.Volumes;

/// <summary>A record met by a scan.</summary>
internal readonly record struct ScannedRecord(RecordHeader Header, RecordPosition At);

/// <summary>What a scan of one volume found.</summary>
/// <param name="Records">Good records, in order.</param>
/// <param name="End">Where the durable part ends: behind it lies a torn tail, or nothing.</param>
/// <param name="BadRegions">Stretches below a durable mark that held no good record: rot.</param>
/// <param name="IsUnreadable">The device failed to read some of it.</param>
/// <param name="HasFooter">Blocks of a footer lie behind the records.</param>
internal sealed record VolumeScan(
    List<ScannedRecord> Records, long End, int BadRegions, bool IsUnreadable, bool HasFooter);

/// <summary>What of a record is damaged.</summary>
internal enum RecordPart
{
    /// <summary>Or more than a record: from here on there is no good header.</summary>
    Header,
    Extensions,
    Payload,
}

/// <summary>Sees what a scan meets, in the order of offsets.</summary>
internal interface IScanVisitor
{
    /// <summary>A record that is good to its last byte.</summary>
    void Meet(in ScannedRecord record);

    /// <summary>Bytes that were durable and are not what was written.</summary>
    /// <param name="from">Where they begin.</param>
    /// <param name="to">Where the next good header is, or the durable part ends.</param>
    /// <param name="part">What is damaged.</param>
    /// <param name="header">The record's, where that is good.</param>
    void MeetRot(long from, long to, RecordPart part, in RecordHeader header);
}

/// <summary>Reads a volume from its beginning. What is bad below a durable mark is rot: counted, and passed
/// by looking for the next good record of this generation. What is bad above every mark is a torn tail, and
/// ends the scan. A mark is the superblock's, or the durable length that the first record of a later good
/// batch states: everything below that was synced when the batch was laid. Any good block of a footer says the same of
/// all records, and where they end.</summary>
internal sealed class VolumeScanner
{
    // Records are passed by their headers where payloads need no check; a window this small reads little
    // beyond.
    private const int HeaderWindowBytes = 4096;
    private const int SearchWindowBytes = 256 * 1024;

    private readonly IDiskFile _file;
    private readonly uint _number;
    private readonly UInt128 _generation;
    private readonly IScanVisitor? _visitor;
    private readonly byte[] _window;
    private readonly List<ScannedRecord> _records = [];
    private byte[] _body = [];
    private long _length;
    private long _windowStart;
    private int _windowBytes;
    private long _mark;
    private long _end = Volume.HeaderBytes;
    private int _badRegions;
    private bool _isUnreadable;
    private bool _hasFooter;
    private (long At, RecordPart Part, RecordHeader Header) _suspect = (-1, default, default);

    private VolumeScanner(
        IDiskFile file, uint number, UInt128 generation, long length, long mark, IScanVisitor? visitor)
    {
        _file = file;
        _number = number;
        _generation = generation;
        _length = length;
        _mark = mark;
        _visitor = visitor;
        _window = new byte[Math.Min(SearchWindowBytes, length)];
    }

    /// <param name="mark">Everything below was synced; <see cref="long.MaxValue"/> for a volume that another
    /// followed, or that was closed in order.</param>
    /// <param name="visitor">Is told of all records, which then are no list: extensions and payloads of all
    /// are checked, not only of those above the mark.</param>
    internal static VolumeScan Scan(
        IDiskFile file, uint number, UInt128 generation, long length, long mark, IScanVisitor? visitor = null)
    {
        var scanner = new VolumeScanner(file, number, generation, length, mark, visitor);
        scanner.Run();
        return new VolumeScan(
            scanner._records, scanner._end, scanner._badRegions, scanner._isUnreadable, scanner._hasFooter);
    }

    private void Run()
    {
        long at = Volume.HeaderBytes;
        while (at < _length)
        {
            if (TryTake(at, out long next) || TryTakeBehindPadding(at, out next))
            {
                at = next;
                continue;
            }

            long found = FindNext(at);
            if (found < 0)
            {
                EndAtFooter(at);
                CountRot(at, Math.Min(_mark, _length));
                break;
            }

            CountRot(at, found);
            at = found;
        }

        if (_mark == long.MaxValue)
        {
            _end = _length;
        }
        else if (_mark <= _length)
        {
            // A rotten last record that was durable stays in the file.
            _end = Math.Max(_end, _mark);
        }
        else
        {
            // The file is shorter than what was synced.
            _badRegions++;
        }
    }

    // Behind the last good record a footer may lie, torn or rotten in part: each of its blocks says where
    // records end, and that all of them were synced before it was written.
    private void EndAtFooter(long from)
    {
        byte[] block = new byte[FooterFormat.BlockBytes];
        for (long at = RecordFormat.AlignBlock(from); at + block.Length <= _length; at += block.Length)
        {
            _ = ReadWhatCanBe(block, at);
            if (FooterFormat.IsGood(block, at, _generation, out _, out long recordsEnd))
            {
                (_mark, _length, _hasFooter) = (long.MaxValue, recordsEnd, true);
                return;
            }
        }
    }

    // Takes the record at a position if it is good as far as it must be.
    private bool TryTake(long at, out long next)
    {
        next = 0;
        if (!TryReadHeader(at, HeaderWindowBytes, out RecordHeader header)
            || at + header.RecordBytes > _length
            || ((_visitor is not null || at >= _mark) && !HasGoodBody(at, header)))
        {
            return false;
        }

        var record = new ScannedRecord(header, new RecordPosition(_number, at));
        if (_visitor is null)
        {
            _records.Add(record);
        }
        else
        {
            _visitor.Meet(record);
        }

        next = at + header.RecordBytes;
        _end = next;
        return true;
    }

    // The next batch begins with the next block; above the mark nothing else tells that it is one, as the batch before it
    // may have been synced later than its first record says.
    private bool TryTakeBehindPadding(long at, out long next)
    {
        next = 0;
        long block = RecordFormat.AlignBlock(at);
        return block > at && block < _length && IsPadding(at, block) && TryTake(block, out next);
    }

    // The next position behind a bad one at which the scan may go on; -1 when the rest is a torn tail or
    // empty.
    private long FindNext(long bad)
    {
        for (long at = bad + RecordFormat.AlignmentBytes; at < _length; at += RecordFormat.AlignmentBytes)
        {
            ReadOnlySpan<byte> window = Window(at, SearchWindowBytes);
            int hit = IndexOfMagic(window);
            if (hit < 0)
            {
                at += Math.Max(0, (window.Length & -RecordFormat.AlignmentBytes) - RecordFormat.AlignmentBytes);
                continue;
            }

            at += hit;

            // Above the mark only the first record of a batch is proof of anything, and reading it raises the
            // mark to what it states; a later one of the same batch may be whole in a batch that is torn.
            long markBefore = _mark;
            if (TryReadHeader(at, SearchWindowBytes, out _) && (at <= markBefore || _mark > markBefore))
            {
                // With the mark raised, good records that were passed by are known to be durable.
                return at <= markBefore ? at : FindNext(bad);
            }
        }

        return -1;
    }

    // Magics stand at multiples of 8 only; others are payload.
    private static int IndexOfMagic(ReadOnlySpan<byte> window)
    {
        for (int from = 0; from < window.Length;)
        {
            int hit = window[from..].IndexOf(RecordFormat.MagicBytes);
            if (hit < 0)
            {
                return -1;
            }

            if ((from + hit) % RecordFormat.AlignmentBytes == 0)
            {
                return from + hit;
            }

            from += hit + 1;
        }

        return -1;
    }

    // Padding between batches is zeros, less than a block of them and up to a block's end; everything else
    // that was skipped was a record.
    private void CountRot(long from, long to)
    {
        if (to - from <= 0)
        {
            return;
        }

        if (!IsPadding(from, to))
        {
            _badRegions++;
            bool isKnown = _suspect.At == from;
            RecordHeader header = isKnown ? _suspect.Header : default;
            _visitor?.MeetRot(from, to, isKnown ? _suspect.Part : RecordPart.Header, header);
        }
    }

    private bool IsPadding(long from, long to) =>
        to - from < RecordFormat.BlockBytes
        && to % RecordFormat.BlockBytes == 0
        && !Window(from, HeaderWindowBytes, (int)(to - from))[..(int)(to - from)].ContainsAnyExcept((byte)0);

    private bool TryReadHeader(long at, int windowBytes, out RecordHeader header)
    {
        var position = new RecordPosition(_number, at);
        if (!RecordFormat.TryRead(Window(at, windowBytes), _generation, position, out header))
        {
            return false;
        }

        if (header.IsFirstOfBatch)
        {
            _mark = Math.Max(_mark, header.DurableBytes);
        }

        return true;
    }

    private bool HasGoodBody(long at, in RecordHeader header)
    {
        if (_body.Length < header.RecordBytes)
        {
            _body = new byte[header.RecordBytes];
        }

        Span<byte> record = _body.AsSpan(0, header.RecordBytes);
        try
        {
            if (_file.Read(record, at) == record.Length && RecordFormat.HasGoodBody(record, header))
            {
                return true;
            }
        }
        catch (OsException)
        {
            _isUnreadable = true;
            record.Clear();
        }

        bool isPayload = RecordFormat.HasGoodExtensions(record, header) && header.ExtensionBytes > 0;
        bool isExtensions = header.ExtensionBytes > 0 && !isPayload;
        _suspect = (at, isExtensions ? RecordPart.Extensions : RecordPart.Payload, header);
        return false;
    }

    // At least a whole header from a position on, or more, where the file has it.
    private ReadOnlySpan<byte> Window(long at, int bytes, int leastBytes = RecordFormat.MaxHeaderBytes)
    {
        long skip = at - _windowStart;
        bool isInside = skip >= 0 && skip < _windowBytes
            && (_windowBytes - skip >= leastBytes || _windowStart + _windowBytes >= _length);
        if (!isInside)
        {
            _windowStart = at;
            _windowBytes = ReadWhatCanBe(_window.AsSpan(0, (int)Math.Min(bytes, _length - at)), at);
            skip = 0;
        }

        return _window.AsSpan((int)skip, _windowBytes - (int)skip);
    }

    // A block that the device cannot read is rot like any other, but keeps the volume from being thrown away.
    private int ReadWhatCanBe(Span<byte> target, long at)
    {
        try
        {
            return _file.Read(target, at);
        }
        catch (OsException)
        {
            _isUnreadable = true;
        }

        target.Clear();
        for (int done = 0; done < target.Length; done += RecordFormat.BlockBytes)
        {
            Span<byte> block = target.Slice(done, Math.Min(RecordFormat.BlockBytes, target.Length - done));
            try
            {
                _ = _file.Read(block, at + done);
            }
            catch (OsException)
            {
                block.Fill(0xff);
            }
        }

        return target.Length;
    }
}
