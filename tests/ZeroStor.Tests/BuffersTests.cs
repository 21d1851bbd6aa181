namespace ZeroStor.Tests;

public sealed class BuffersTests
{
    private readonly BufferPool _pool = new();

    [Theory]
    [InlineData(0, 4096)]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 8192)]
    [InlineData(64 * 1024, 64 * 1024)]
    [InlineData((64 * 1024) + 1, 80 * 1024)]
    [InlineData(100 * 1024, 112 * 1024)]
    [InlineData(4 * 1024 * 1024, 4 * 1024 * 1024)]
    [InlineData((4 * 1024 * 1024) + 1, 5 * 1024 * 1024)]
    public void Sizes_come_in_classes(int bytes, int capacity) =>
        Assert.Equal(capacity, _pool.Rent(bytes).Capacity);

    [Fact]
    public void No_class_wastes_more_than_a_quarter_beyond_some_pages()
    {
        for (int bytes = 8 * BufferPool.AlignmentBytes; bytes < 1 << 23; bytes += 4093)
        {
            SharedBuffer buffer = _pool.Rent(bytes);
            Assert.InRange(buffer.Capacity, bytes, bytes + (bytes / 4));
            buffer.Release();
        }
    }

    [Fact]
    public unsafe void Buffers_begin_at_a_page_and_hold_what_is_written()
    {
        for (int i = 0; i < 20; i++)
        {
            SharedBuffer buffer = _pool.Rent(5000 * (i + 1));
            fixed (byte* first = buffer.Span)
            {
                Assert.Equal(0, (nint)first % BufferPool.AlignmentBytes);
            }

            buffer.Span.Fill((byte)i);
            Assert.Equal(buffer.Capacity, buffer.Span.Length);
            Assert.False(buffer.Memory.Span.ContainsAnyExcept((byte)i));
        }
    }

    [Theory]
    [InlineData((1 << 21) - 4096, 4096)]
    [InlineData(1 << 21, 1 << 21)]
    [InlineData(5 << 20, 1 << 21)]
    public unsafe void Large_ones_begin_where_huge_pages_do_and_hold_what_is_written(int bytes, int alignment)
    {
        SharedBuffer[] buffers = [.. Enumerable.Range(0, 8).Select(_ => _pool.Rent(bytes))];
        for (int i = 0; i < buffers.Length; i++)
        {
            fixed (byte* first = buffers[i].Span)
            {
                Assert.Equal(0, (nint)first % alignment);
            }

            buffers[i].Span.Fill((byte)i);
        }

        Assert.All(buffers.Index(), b => Assert.False(b.Item.Span.ContainsAnyExcept((byte)b.Index)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public unsafe void Those_of_middle_size_lie_one_behind_the_other_in_huge_pages(bool isTrimmed)
    {
        int[] sizes = [32 << 10, 210 << 10, 1 << 20, (2 << 20) - 1, 100_000];
        const int HugePageBytes = 2 << 20;
        nint end = 0;
        int begun = 0;
        var buffers = new List<SharedBuffer>();
        for (int i = 0; i < 200; i++)
        {
            SharedBuffer buffer = _pool.Rent(sizes[i % sizes.Length]);
            buffer.Span.Fill((byte)i);
            buffers.Add(buffer);
            if (buffer.Capacity >= HugePageBytes)
            {
                continue;
            }

            fixed (byte* first = buffer.Span)
            {
                if ((nint)first != end)
                {
                    Assert.Equal(0, (nint)first % HugePageBytes);
                    begun++;
                }

                end = (nint)first + buffer.Capacity;
            }

            if (isTrimmed && i == 100)
            {
                _pool.Trim();
            }
        }

        Assert.All(buffers.Index(), b => Assert.False(b.Item.Span.ContainsAnyExcept((byte)b.Index)));
        long bytes = buffers.Where(b => b.Capacity < HugePageBytes).Sum(b => (long)b.Capacity);
        Assert.InRange(begun, 1, (bytes / (6 << 20)) + 2);
    }

    [Fact]
    public void Trimmed_it_keeps_nothing_and_takes_what_is_returned_later()
    {
        SharedBuffer returned = _pool.Rent(5000);
        SharedBuffer rented = _pool.Rent(5000);
        returned.Release();
        _pool.Trim();
        Assert.NotSame(returned, _pool.Rent(5000));
        rented.Release();
        Assert.Same(rented, _pool.Rent(5000));

        // As much as ever is kept: what was trimmed is not counted any more.
        SharedBuffer[] all = [.. Enumerable.Range(0, (int)(BufferPool.MaxRetainedBytes >> 22))
            .Select(_ => _pool.Rent(1 << 22))];
        for (int round = 0; round < 2; round++)
        {
            Array.ForEach(all, b => b.Release());
            if (round == 0)
            {
                _pool.Trim();
                all = [.. all.Select(_ => _pool.Rent(1 << 22))];
            }
        }

        var kept = all.ToHashSet();
        Assert.All(all, _ => Assert.Contains(_pool.Rent(1 << 22), kept));
    }

    [Fact]
    public void A_released_buffer_is_rented_again_and_a_held_one_is_not()
    {
        SharedBuffer first = _pool.Rent(5000);
        SharedBuffer second = _pool.Rent(5000);
        Assert.NotSame(first, second);
        first.Hold();
        first.Release();
        Assert.NotSame(first, _pool.Rent(5000));
        first.Release();
        Assert.Same(first, _pool.Rent(5000));
    }

    [Fact]
    public void Releasing_more_often_than_holding_throws_every_time()
    {
        SharedBuffer buffer = _pool.Rent(1);
        buffer.Release();
        Assert.Throws<InvalidOperationException>(buffer.Release);
        Assert.Throws<InvalidOperationException>(buffer.Release);
        Assert.Same(buffer, _pool.Rent(1));
        Assert.NotSame(buffer, _pool.Rent(1));
    }

    [Fact]
    public void Holding_or_reading_a_released_buffer_throws_every_time()
    {
        SharedBuffer buffer = _pool.Rent(1);
        buffer.Release();
        Assert.Throws<InvalidOperationException>(buffer.Hold);
        Assert.Throws<InvalidOperationException>(buffer.Hold);
        Assert.Throws<InvalidOperationException>(buffer.Release);
        Assert.Throws<InvalidOperationException>(() => buffer.Memory);
    }

    [Fact]
    public void Returned_bytes_beyond_the_bound_are_let_go()
    {
        const int Bytes = 64 * 1024 * 1024;
        int count = (int)(BufferPool.MaxRetainedBytes / Bytes) + 1;
        SharedBuffer[] rented = [.. Enumerable.Range(0, count).Select(_ => _pool.Rent(Bytes))];
        foreach (SharedBuffer buffer in rented)
        {
            buffer.Release();
        }

        var kept = Enumerable.Range(0, count).Select(_ => _pool.Rent(Bytes)).Where(rented.Contains).ToList();
        Assert.Equal(count - 1, kept.Count);
        kept[0].Release();
        Assert.Same(kept[0], _pool.Rent(Bytes));
    }

    [Fact]
    public void A_negative_size_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _pool.Rent(-1));

    [Fact]
    public void Slices_are_windows_on_one_count()
    {
        BufferSlice slice = _pool.RentSlice(5000);
        Assert.Equal(5000, slice.Length);
        BufferSlice inner = slice.Slice(1000, 10);
        inner.Span.Fill(7);
        Assert.Equal(7, slice.Span[1009]);
        Assert.Equal(10, inner.Memory.Length);
        inner.Hold();
        slice.Release();
        inner.Span.Fill(8);
        inner.Release();
        Assert.Throws<InvalidOperationException>(() => inner.Hold());
    }

    [Theory]
    [InlineData(-1, 2)]
    [InlineData(0, -1)]
    [InlineData(0, 101)]
    [InlineData(100, 1)]
    [InlineData(101, 0)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(1, int.MaxValue)]
    public void A_slice_never_reaches_beyond_its_own(int offset, int length)
    {
        SharedBuffer buffer = _pool.Rent(4096);
        BufferSlice slice = buffer.Slice(1000, 100);
        Assert.Throws<ArgumentOutOfRangeException>(() => slice.Slice(offset, length));
        Assert.Throws<ArgumentOutOfRangeException>(() => default(BufferSlice).Slice(offset, length));
    }

    [Theory]
    [InlineData(-1, 2)]
    [InlineData(4096, 1)]
    [InlineData(int.MaxValue, int.MaxValue)]
    public void A_slice_never_reaches_beyond_its_buffer(int offset, int length)
    {
        SharedBuffer buffer = _pool.Rent(4096);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Slice(offset, length));
    }

    [Fact]
    public void The_empty_slice_belongs_to_nobody()
    {
        BufferSlice none = default;
        Assert.True(none.IsEmpty);
        Assert.True(none.Slice(0, 0).Memory.IsEmpty);
        none.Hold().Release();
        none.Release();
    }

    [Fact]
    public async Task Many_threads_never_share_what_is_cut()
    {
        await Task.WhenAll(Enumerable.Range(1, 4).Select(owner => Task.Run(() =>
        {
            SharedBuffer[] buffers = [.. Enumerable.Range(0, 200).Select(_ => _pool.Rent(40_000))];
            Array.ForEach(buffers, b => b.Span.Fill((byte)owner));
            Assert.All(buffers, b => Assert.False(b.Span.ContainsAnyExcept((byte)owner)));
        })));
    }

    [Fact]
    public async Task Many_threads_never_share_a_rented_buffer()
    {
        await Task.WhenAll(Enumerable.Range(1, 4).Select(owner => Task.Run(() =>
        {
            for (int i = 0; i < 5000; i++)
            {
                SharedBuffer buffer = _pool.Rent(4096);
                buffer.Span.Fill((byte)owner);
                Assert.False(buffer.Span.ContainsAnyExcept((byte)owner));
                buffer.Hold().Release();
                buffer.Release();
            }
        })));
    }
}
